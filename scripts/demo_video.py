"""Make a short real MP4 (H.264 or MPEG-4), or a smaller rendition of any video."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

FRAMES = 48
RATE = 24
WIDTH, HEIGHT = 320, 180


def make_video(path: Path) -> None:
    """Write a two-second MP4 of a moving colour gradient."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(FRAMES):
            picture = np.stack(
                [(columns + 3 * number) % 256, (rows * 255) // HEIGHT, np.full_like(rows, 5 * number % 256)], axis=-1
            ).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def make_rendition(source: Path, path: Path) -> None:
    """Write a transcode of the first seconds of a video at half its width."""
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        video = given.streams.video[0]
        stream: Any = out.add_stream("mpeg4", rate=RATE)
        stream.width = max(2, video.width // 4 * 2)
        stream.height = max(2, video.height // 4 * 2)
        stream.pix_fmt = "yuv420p"
        for number, frame in enumerate(given.decode(video)):
            if number == FRAMES:
                break
            smaller = frame.reformat(width=stream.width, height=stream.height, format="yuv420p")
            smaller.pts, smaller.time_base = number, Fraction(1, RATE)
            for packet in stream.encode(smaller):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
