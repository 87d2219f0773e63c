"""What metrics count that Python would count too slowly: detections matched with objects."""
