/* openvino_calls: OpenVINO's C API, the one module with <openvino/c/openvino.h>. Its libraries are
 * loaded by the first run of a network, not with the program: otherwise they would take a sixth of
 * every start, and akin would not start where they have been removed. Not collective.
 */
#ifndef AKIN_OPENVINO_CALLS_H
#define AKIN_OPENVINO_CALLS_H

#include <akin/error.h>

#ifdef AKIN_OPENVINO
#include <openvino/c/openvino.h>

/* clang-format off */
#define AKIN_OPENVINO_CALLS(X) \
    X(compiled_model_create_infer_request) X(compiled_model_free) X(core_compile_model_props) \
    X(core_create) X(core_free) X(core_get_property) X(core_read_model) X(dimension_is_dynamic) \
    X(free) X(get_last_err_msg) X(get_openvino_version) X(infer_request_free) \
    X(infer_request_get_input_tensor) X(infer_request_get_output_tensor_by_index) \
    X(infer_request_get_profiling_info) X(infer_request_infer) X(model_const_input_by_index) \
    X(model_const_output_by_index) X(model_free) X(model_inputs_size) X(model_outputs_size) \
    X(model_reshape_single_input) X(output_const_port_free) X(partial_shape_create_static) \
    X(partial_shape_free) X(port_get_any_name) X(port_get_element_type) \
    X(port_get_partial_shape) X(preprocess_input_info_free) \
    X(preprocess_input_info_get_tensor_info) X(preprocess_input_tensor_info_free) \
    X(preprocess_input_tensor_info_set_element_type) X(preprocess_output_info_free) \
    X(preprocess_output_info_get_tensor_info) X(preprocess_output_set_element_type) \
    X(preprocess_output_tensor_info_free) X(preprocess_prepostprocessor_build) \
    X(preprocess_prepostprocessor_create) X(preprocess_prepostprocessor_free) \
    X(preprocess_prepostprocessor_get_input_info) \
    X(preprocess_prepostprocessor_get_output_info_by_index) X(profiling_info_list_free) \
    X(rank_is_dynamic) X(shape_free) X(tensor_data) X(tensor_free) X(tensor_get_shape) \
    X(version_free)
/* clang-format on */

/* `core_create` is ov_core_create, and so on. */
typedef struct {
#define AKIN_OPENVINO_CALL(name) __typeof__(ov_##name) *name;
    AKIN_OPENVINO_CALLS(AKIN_OPENVINO_CALL)
#undef AKIN_OPENVINO_CALL
} akin_openvino_calls;

/* The calls live as long as the program. AKIN_FAILED: the library is not there, or lacks a call. */
AKIN_MUST_CHECK akin_status akin_openvino_load(const akin_openvino_calls **calls);
#endif

#endif
