"""`make bench`: how fast the product is, each figure beside an anchor measured on the same server in the same run."""
