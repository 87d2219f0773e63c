"""The device "cuda": its arrays, its memory and its stream. `fastcnn.device` finds it when somebody asks for it."""
