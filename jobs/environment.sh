# shellcheck shell=sh
# Settings of Open MPI for a single machine; source it. On a cluster the batch system provides them.
# As root, such as in a container, mpirun refuses to start without the first two.
if [ "$(id -u)" -eq 0 ]; then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# Ranks of several programs at once would be bound to the same cores; Open MPI 5 has another name for it.
export PRTE_MCA_hwloc_default_binding_policy="${PRTE_MCA_hwloc_default_binding_policy:-none}"
# One machine needs no network between ranks. Open MPI 5 prints an error where it finds no interface for TCP; looking for the others takes
# Open MPI 4 a quarter of a second at each start, and with ofi a second at each end.
export OMPI_MCA_btl="${OMPI_MCA_btl:-^tcp,ofi,openib,uct}" OMPI_MCA_mtl="${OMPI_MCA_mtl:-^ofi,psm,psm2}"
export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
export OMPI_MCA_hwloc_base_binding_policy="${OMPI_MCA_hwloc_base_binding_policy:-none}"
