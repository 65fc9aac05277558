"""Helm's rendering of charts, and of values on their way into them."""

import asyncio
import base64
import subprocess

from generated import tiny_chart
from sidelane.charts import sources
from sidelane.helm.client import Helm


def test_a_package_is_read_like_its_folder(helm, tmp_path):
    folder = tiny_chart(tmp_path / "tiny")
    subprocess.run([helm, "package", folder, "-d", tmp_path], check=True, capture_output=True)
    (package,) = tmp_path.glob("*.tgz")
    packaged, chart = sources.find(package), sources.find(folder)
    assert packaged.defaults == chart.defaults == {"name": "", "serviceVersion": "v1", "replicas": 1, "text": ""}
    assert packaged.operational_values == chart.operational_values == {"replicas"}


def test_every_character_reaches_the_chart_as_it_is(helm, tmp_path):
    """Helm reads values as YAML, where some characters break lines and others are no text at all."""
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000), 0x1F6A6, 0x10FFFF]))
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 0.1.0\n")
    (chart / "templates" / "text.yaml").write_text("text: {{ .Values.text | b64enc }}\n")
    rendered = asyncio.run(Helm(executable=helm).template_text("x", chart, {"text": text}))
    assert base64.b64decode(rendered.rpartition("text: ")[2]).decode() == text
