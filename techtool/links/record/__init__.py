"""A transcript of a link without anything that may not leave a shop, and a terminal made of such a transcript."""
