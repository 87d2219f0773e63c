"""fastcnn in float32, as a peer of fastcnn in bfloat16. Imported in that side's process alone."""

# ruff: noqa: F401
from asv_benchmarks.comparison.by_fastcnn import about, use_one_thread
from asv_benchmarks.comparison.by_fastcnn.published import published_prediction as bf16_network_prediction
from asv_benchmarks.comparison.by_fastcnn.published import published_step as bf16_published_step
