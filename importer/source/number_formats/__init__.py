"""What a number format shows, in every version of the reading."""
