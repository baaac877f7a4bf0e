"""Published peaks of the boards, and what networks like this one were measured to take there.

Multiply-accumulates of the like models, per picture: MobileNet v1 0.569 G (Howard 2017), v2 0.300 G
(Sandler 2018), ResNet-18 1.81 G, ResNet-50 4.09 G and Inception v3 5.71 G (torchvision's cards),
GoogLeNet 1.50 G (Szegedy 2015), YOLO11n 3.25 G and YOLOv8n 4.35 G at 640 px (Ultralytics' cards,
half their FLOPs), SSD-MobileNet v2 0.91 G at 320 px (SSDLite's 0.8 G at 300 px).
"""

from __future__ import annotations

from benchmarks.estimate.roofline import Device, Like

NCNN = "Tencent/ncnn benchmark/README.md (a4d2ea1)"
XNNPACK = "google/XNNPACK README.md (75db3c0), all threads"
ARM = "Arm's model card"
ULTRALYTICS = "ultralytics docs"
BROADCOM = (
    "four {core} at {clock} GHz, {macs} multiply-accumulates a cycle (Arm's optimization guide)"
)

PI4 = BROADCOM.format(core="Cortex-A72", clock=1.8, macs="4 float or 8 int8")
PI5 = BROADCOM.format(core="Cortex-A76", clock=2.4, macs="8 float or 32 int8 (SDOT)")
ORIN = (
    "NVIDIA's data sheet, Super mode: 33 dense INT8 TOPS, 17 FP16 TFLOPS, 1,024 cores at 1.02 GHz"
)
STICK = "Intel: two Neural Compute Engines, 1 TOPS, FP16"

BOARDS: dict[str, tuple[Device, ...]] = {
    "pi4": (
        Device("Raspberry Pi 4", "fp32", 28.8, 12.8, PI4, (
            Like("MobileNet v1", 0.569, 61.17, NCNN), Like("MobileNet v2", 0.300, 61.88, NCNN),
            Like("GoogLeNet", 1.50, 114.35, NCNN), Like("ResNet-50", 4.09, 262.83, NCNN),
            Like("MobileNet v1", 0.569, 77, XNNPACK), Like("MobileNet v2", 0.300, 46, XNNPACK),
        )),
        Device("Raspberry Pi 4", "int8", 57.6, 12.8, PI4, (
            Like("MobileNet v1", 0.569, 34.37, NCNN), Like("GoogLeNet", 1.50, 101.25, NCNN),
            Like("ResNet-50", 4.09, 196.65, NCNN),
            Like("MobileNet v1", 0.569, 24, XNNPACK), Like("MobileNet v2", 0.300, 17, XNNPACK),
        )),
    ),
    "pi5": (
        Device("Raspberry Pi 5", "fp32", 76.8, 17.1, PI5, (
            Like("GoogLeNet, ExecuTorch", 1.50, 90.77, ARM),
            Like("YOLO11n, OpenVINO", 3.25, 81, ULTRALYTICS),
            Like("YOLO11n, TFLite", 3.25, 317, ULTRALYTICS),
        )),
        Device("Raspberry Pi 5", "int8", 307.2, 17.1, PI5, (
            Like("GoogLeNet, ExecuTorch", 1.50, 25.33, ARM),
            Like("ResNet-18, XNNPACK", 1.81, 8.75, ARM),
            Like("ResNet-50, XNNPACK", 4.09, 20.64, ARM),
            Like("Inception v3, ONNX Runtime", 5.71, 113.11, ARM),
            Like("MobileNet v1", 0.569, 8.74, NCNN),
        )),
    ),
    "orin-nano": (
        Device("Jetson Orin Nano, GPU", "fp16", 8500, 102, ORIN, (
            Like("YOLO11n, TensorRT", 3.25, 4.91, ULTRALYTICS),
            Like("ResNet-50, Vulkan", 4.09, 9.31, NCNN),
            Like("MobileNet v1, Vulkan", 0.569, 3.66, NCNN),
        )),
        Device("Jetson Orin Nano, GPU", "int8", 16500, 102, ORIN, (
            Like("YOLO11n, TensorRT", 3.25, 3.91, ULTRALYTICS),
            Like("YOLOv8n, TensorRT", 4.35, 3.49, "hokwangchoi.com, vision-benchmarks"),
        )),
    ),
    "ncs2": (
        Device("Intel NCS2 on a Pi 4", "fp16", 500, 12.8, STICK, (
            Like("SSD-MobileNet v2, 7 fps", 0.91, 143, "openvinotoolkit/openvino#11529"),
            Like("OMZ face detector, 25 fps", 0.53, 40, "openvinotoolkit/openvino#11529"),
        )),
    ),
}  # fmt: skip
"""Name on the command line to one device for each precision that it runs."""

CPUS = ("pi4", "pi5")
"""Boards whose like models stand in for those of another processor."""

RYZEN = "16 float multiply-accumulates a cycle (two 256-bit units), {clock} GHz, {cores} core(s)"
X86 = (
    Device("AMD Ryzen 5700G", "fp32", 73.6, 40, RYZEN.format(clock=4.6, cores=1), (
        Like("MobileNet v1", 0.569, 11.64, NCNN), Like("MobileNet v2", 0.300, 8.66, NCNN),
        Like("GoogLeNet", 1.50, 28.28, NCNN),
    )),
    Device("AMD Ryzen 5700G", "fp32", 486.4, 40, RYZEN.format(clock=3.8, cores=8), (
        Like("MobileNet v1", 0.569, 4.21, NCNN), Like("GoogLeNet", 1.50, 11.0, NCNN),
    )),
    Device("AMD EPYC 7742", "fp32", 54.4, 40, RYZEN.format(clock=3.4, cores=1), (
        Like("MobileNet v1", 0.569, 16.35, NCNN), Like("MobileNet v2", 0.300, 10.78, NCNN),
        Like("GoogLeNet", 1.50, 35.79, NCNN),
    )),
)  # fmt: skip
"""Processors whose like models stand in for those of an x86 machine, in floats."""
