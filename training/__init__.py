"""Programs that train what the package stores."""
