from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from lecture13.render import solids
from tests.render.solids.small import cube, soup

TRIANGLE = """# a comment
mtllib thing.mtl
o thing
v 0 0 0
v 1 0 0 1.0
v 1 1 0
v 0 1 0
vn 0 0 1
vt 0 0
vt 1 0 0
vt 1 1
vt 0 1
usemtl skin
s off
"""


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / "my skin.png")
    (tmp_path / "thing.mtl").write_text("newmtl skin\nKd 1 1 1\nmap_Kd my skin.png # the one\n")
    return tmp_path


def read(folder, faces, head=TRIANGLE):
    path = folder / "thing.obj"
    path.write_text(head + faces)
    return solids.read_obj(path)


@pytest.mark.parametrize("mesh", [cube(), soup(), solids.solid("espresso", texels=64)], ids=lambda mesh: mesh.name)
def test_what_is_written_is_read_again(mesh, tmp_path):
    solids.write_obj(mesh, tmp_path / "new" / "mesh.obj")
    found = solids.read_obj(tmp_path / "new" / "mesh.obj")
    torch.testing.assert_close(found.positions, mesh.positions, rtol=0, atol=1e-7)
    torch.testing.assert_close(found.uv, mesh.uv, rtol=0, atol=1e-7)
    assert torch.equal(found.faces, mesh.faces) and torch.equal(found.face_uv, mesh.face_uv)
    assert (found.texture - mesh.texture).abs().max() <= 0.5 / 255 + 1e-6
    assert found.name == "mesh"


def test_triangles_quadrilaterals_normals_and_counting_from_the_end(folder):
    flat = read(folder, "f 1/1 2/2 3/3\n")
    assert flat.faces.tolist() == [[0, 1, 2]] and flat.face_uv.tolist() == [[0, 1, 2]]
    assert flat.positions.tolist()[1] == [1, 0, 0] and flat.uv.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    quad = read(folder, "f 1/1/1 2/2/1 3/3/1 4/4/1\n")
    assert quad.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert torch.equal(read(folder, "f -4/-4 -3/-3 -2/-2\n").faces, flat.faces)
    assert flat.texture.shape == (1, 3, 4, 4)
    assert flat.texture[0, :, 0, 1].mul(255).round().tolist() == [3, 4, 5]  # row 0, column 1


def test_the_texture_lies_the_right_way_up(folder):
    """v = 1 is the image's first row."""
    quad = read(folder, "f 1/1 2/2 3/3 4/4\n")
    straight = solids.Poses(azimuth=(0, 0), elevation=(0, 0), roll=(0, 0), distance=(3, 3), shift=(0, 0))
    views = solids.look(quad, straight.draw(1), size=32, samples=1)
    rows, columns = views.mask[0].nonzero().unbind(1)
    place = views.uv[0][rows, columns]
    assert torch.corrcoef(torch.stack([rows.float(), place[:, 1]]))[0, 1] > 0.99  # down the picture, down the texture
    assert torch.corrcoef(torch.stack([columns.float(), place[:, 0]]))[0, 1] > 0.99


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ("f 1/1 2/2\n", r"line 15: a face of 2 corners; expected 3 or 4"),
        ("f 1/1 2/2 3/3 4/4 1/1\n", r"line 15: a face of 5 corners"),
        ("\n\nf 1 2 3\n", r"line 17: the corner '1' has no texture coordinate"),
        ("f 1//1 2//1 3//1\n", r"line 15: the corner '1//1' has no texture coordinate"),
        ("f 1/1 2/2 9/3\n", r"line 15: v 9 is not there: 4 of `v` stand before this line"),
        ("f 1/1 2/2 3/0\n", r"line 15: vt 0 is not there"),
        ("f 1/1 2/2 -5/1\n", r"line 15: v -5 is not there"),
        ("f 1/1 2/2 3/x\n", r"line 15: '3/x' is no corner"),
        ("f 1/1 2/2 3/3/3/3\n", r"line 15: '3/3/3/3' is no corner"),
        ("v 1 2\n", r"line 15: 2 numbers; expected `v x y z`"),
        ("v 1 2 three\n", r"line 15: '1 2 three' are not all numbers"),
        ("v 1 2 nan\n", r"line 15: '1 2 nan' are not all finite"),
        ("vt 1\n", r"line 15: 1 numbers; expected `vt u v`"),
        ("curv 0 1\n", r"line 15: 'curv' is not read here"),
        ("mtllib\n", r"line 15: `mtllib` without a file"),
        ("", "has no face"),
        ("vt 3 0\nf 1/5 2/2 3/3\n", r"line 15: the texture coordinate \(3.0, 0.0\) lies outside"),
        ("v 1e300 0 0\n", r"line 15: '1e300 0 0' are not all finite in 32 bits"),
        ("mtllib other.mtl\n", r"line 15: a second material file, beside thing\.mtl"),
        ("usemtl wood\nf 1/1 2/2 3/3\n", r"line 15: the material 'wood' has no texture"),
    ],
)
def test_a_malformed_file_is_an_error_with_its_line(folder, faces, message):
    with pytest.raises(ValueError, match=message):
        read(folder, faces)


def test_a_missing_or_ambiguous_texture_is_an_error_with_the_way_out(folder):
    (folder / "my skin.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"no texture .*my skin\.png"):
        read(folder, "f 1/1 2/2 3/3\n")
    (folder / "my skin.png").write_text("no image")
    with pytest.raises(ValueError, match="cannot be read"):
        read(folder, "f 1/1 2/2 3/3\n")
    (folder / "thing.mtl").write_text("map_Kd a.png\nmap_Kd b.png\n")
    with pytest.raises(ValueError, match=r"names 2 textures"):
        read(folder, "f 1/1 2/2 3/3\n")
    (folder / "thing.mtl").write_text("newmtl a\nmap_Kd -s 1 1 1 a.png\n")
    with pytest.raises(ValueError, match=r"thing\.mtl, line 2: expected `map_Kd FILE`"):
        read(folder, "f 1/1 2/2 3/3\n")
    (folder / "thing.mtl").unlink()
    with pytest.raises(FileNotFoundError, match=r"line 2: no material"):
        read(folder, "f 1/1 2/2 3/3\n")
    with pytest.raises(ValueError, match="names no material"):
        read(folder, "f 1/1 2/2 3/3\n", head=TRIANGLE.replace("mtllib thing.mtl", ""))
    Image.new("L", (2, 3)).save(folder / "grey.png")
    assert solids.read_obj(folder / "thing.obj", texture=folder / "grey.png").texture.shape == (1, 3, 3, 2)


def test_a_name_that_a_file_cannot_hold_is_an_error(tmp_path):
    for name, message in (("mesh.stl", r"mesh\.stl does not end in \.obj"), ("a#1.obj", "cannot name it")):
        with pytest.raises(ValueError, match=message):
            solids.write_obj(cube(), tmp_path / name)
    with pytest.raises(ValueError, match="cannot name it"):
        solids.write_obj(cube(), tmp_path / "my  thing.obj")
    solids.write_obj(replace(cube(), name="a\nv 9 9"), tmp_path / "thing.obj")
    assert torch.equal(solids.read_obj(tmp_path / "thing.obj").faces, cube().faces)


def test_rounding_a_byte_order_mark_and_sixteen_bits_are_read(folder):
    Image.fromarray(np.full((2, 2), 32768, np.uint16)).save(folder / "grey.png")
    text = TRIANGLE.replace("mtllib thing.mtl", "") + "vt 1.0000001 0\nf 1/5 2/2 3/3\n"
    (folder / "thing.obj").write_text("\ufeff" + text, encoding="utf-8")
    mesh = solids.read_obj(folder / "thing.obj", texture=folder / "grey.png")
    assert mesh.uv.max() == 1 and torch.allclose(mesh.texture, torch.tensor(32768 / 65535))
