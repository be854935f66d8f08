"""Reports for people and machines, made from a judgement. Pure: values in, text out."""
