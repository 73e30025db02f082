"""The machine, the CPUs that a figure may use, and the environment it is measured in."""
import datetime
import json
import os
import subprocess

# What decides about threads and kernels is not left to who calls.
DROPPED = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "BLIS_", "XLA_", "TF_", "JAX_", "KERAS_",
           "TORCH", "ATEN_", "DNNL_", "ONEDNN_", "NNC_")


def output(*args):
    try:
        return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except OSError:
        return ""


def cores():
    """The first CPU of each core that this process may use: two threads on one core are
    not two cores."""
    found = {}
    for cpu in sorted(os.sched_getaffinity(0)):
        try:
            with open("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list" % cpu) as f:
                core = f.read()
        except OSError:
            core = cpu
        found.setdefault(core, cpu)
    return list(found.values())


def cpus_of(threads):
    """As many as threads, the last ones: the first serves most interrupts. None if there are
    fewer cores."""
    known = cores()
    return set(known[-threads:]) if threads <= len(known) else None


def environment(threads, work):
    """For ours and the peers alike."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(DROPPED)}
    env.update({
        "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads),
        "NPROC": str(threads),  # XLA's
        "XLA_FLAGS": "" if threads > 1 else "--xla_cpu_multi_thread_eigen=false",
        "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3",
        "TORCHINDUCTOR_CACHE_DIR": os.path.join(work, "torch_cache"),
        "TORCHINDUCTOR_COMPILE_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
    })
    return env


def describe():
    try:
        fields = {f["field"]: f["data"] for f in json.loads(output("lscpu", "-J"))["lscpu"]
                  if "field" in f}
    except (ValueError, KeyError):
        fields = {}
    compiler = output(*os.environ.get("CC", "cc").split(), "--version").splitlines()
    return {
        "cpu": fields.get("Model name:", "unknown"),
        "cores": len(cores()),
        "caches": {name: fields.get(name + " cache:") for name in ("L1d", "L2", "L3")},
        "flags": [f for f in ("avx2", "fma", "avx512f") if f in fields.get("Flags:", "").split()],
        "compiler": compiler[0] if compiler else "unknown",
        "kernel": os.uname().release,
        "load": os.getloadavg()[0],
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }
