"""A page and a JSON API in front of a trained network: what is drawn or dropped is answered by probabilities and maps.

limits -> refusals -> bodies (a request's bytes, as a picture or as pixels) -> answering (what the network says)
-> guard (who may ask, how much, how long, how many at once) -> application -> server
"""
