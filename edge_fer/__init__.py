"""Facial-expression recognition on small machines."""

import os

# OpenCV reads these once, when it is imported, so they are set before any module can import it.
# A 420 kB PNG can unpack to 890 MB; a stalled camera would block a read for 10 s.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**24))
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
