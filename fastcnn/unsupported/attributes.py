"""Attributes and methods of objects."""

_TORCH = (
    "T_destination add_module apply bfloat16 buffers call_super_init children cpu cuda double "
    "dump_patches eval extra_repr float get_buffer get_extra_state get_parameter get_submodule half ipu "
    "load_state_dict modules mtia named_buffers named_children named_modules named_parameters "
    "register_backward_hook register_buffer register_forward_hook register_forward_pre_hook "
    "register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook "
    "register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook "
    "register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to "
    "to_empty torch_params train training type xpu zero_grad")

LAYER = {
    "it is what PyTorch's modules have, and this is none; weights, get_weights and set_weights hold the parameters":
        _TORCH,
    "give metrics to compile": "add_metric metrics metrics_variables",
    "parameters are made by add_weight": "add_variable",
    "json.dumps(model.get_config()) is the structure, and from_config reads it":
        "build_from_config get_build_config compile_from_config get_compile_config "
        "variable_serialization_spec",
    "fc.onnx.export(model, path) writes ONNX": "export",
    "fc.quantize(model, images) returns a model that predicts in 8 bits":
        "quantize quantization_mode quantization_config quantized_build quantized_call "
        "get_quantization_layer_structure",
    "no layer keeps a state between batches": "reset_states get_state_tree set_state_tree",
    "inputs are of the type that the layer computes in, array_dtype": "autocast",
    "call the layer, or forward(x, call) and predict(x)":
        "call call_signature_parameters stateless_call symbolic_call rematerialized_call",
    "compute_output_shape tells the shape": "compute_output_spec input_spec",
    "arrays have no masks": "compute_mask supports_masking",
    "there is one way to run": "supports_jit jit_compile run_eagerly steps_per_execution",
    "its name is name, and model.named_weights() tells paths": "path",
    "fc.saving.save_model and load_model write and read models": "load_own_variables save_own_variables",
    "model.compile prepares a training": "compile",
    "freeze layers with trainable = False": "enable_lora lora_alpha lora_enabled lora_rank",
    "it is compiled where model.optimizer is not None": "compiled",
    "fit, train_on_batch, evaluate and predict are the loops; put layers together with the functional form":
        "make_predict_function make_test_function make_train_function predict_function "
        "predict_step test_function train_function stateless_compute_loss",
    "fit returns the history, and evaluate the metrics: evaluate(x, y, return_dict=True) has their names":
        "metrics_names reset_metrics",
}
LOSS = {
    "call the loss, or forward(y_true, y_pred) with a gradient": "call fn",
    "losses compute in the type of the outputs": "dtype",
}
METRIC = {
    "update_state, result and reset_state count": "stateless_reset_state stateless_result stateless_update_state",
    'curve="PR" interpolates': "interpolate_pr_auc",
}
OPTIMIZER = {
    "apply_gradients, or build(parameters) and step() after each backward pass, train by hand":
        "stateless_apply update_step assign assign_add assign_sub",
    "get_state and set_state hold the state":
        "add_variable add_optimizer_variables add_variable_from_reference load_own_variables "
        "save_own_variables",
    "float32 and float64 do not need it": "scale_loss",
}
CALLBACK: dict[str, str] = {}  # all of Keras's hooks are called
INITIALIZER = {
    "copy.copy copies": "clone",
    "fans are those of the last two axes": "input_axes output_axes",
}
TENSOR = {
    "layers.Reshape does it": "reshape squeeze",
    "tensors are dense, and have a shape and a dtype alone": "ragged ragged_rank row_splits_dtype sparse",
    "a model is made of its inputs and outputs": "record_history",
}
PARAMETER = {
    "there is one device": "aggregation synchronization overwrite_with_gradient",
}
