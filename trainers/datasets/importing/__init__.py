"""From images on the disk to a data set in the store."""
