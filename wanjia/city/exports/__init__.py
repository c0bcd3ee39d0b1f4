"""What each department holds of the city's people, one module per department."""
