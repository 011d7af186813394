"""What every endpoint of the product's API shares: errors, types, paging, limits, documentation."""
