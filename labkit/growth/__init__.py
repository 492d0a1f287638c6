"""Statistics on series: how fast something grows per request, and what shape its growth has."""
