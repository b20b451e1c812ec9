"""Solids: textured triangle meshes, ten classes of them made by program, and a rasteriser that any camera can use.

turtle = solids.solid("sea turtle")
shoot = solids.camera(turtle, solids.Poses(), size=64)     # poses from ranges
views = shoot(40, generator)                               # rasterised once: UV maps, masks, shading
images = solids.render(turtle.texture, views)              # (40, 3, 64, 64), linear in the texels but for clipping

drawn = solids.draw(1000, size=64, seed=0)                 # labelled images of all classes, as a data set
"""

from lecture13.render.solids.catalogue import CLASSES, Solids, draw, solid
from lecture13.render.solids.mesh import Mesh
from lecture13.render.solids.obj import read_obj, write_obj
from lecture13.render.solids.poses import BACKGROUNDS, Poses, Shots
from lecture13.render.solids.printing import printed
from lecture13.render.solids.views import Views, camera, expose, look, radiance, render

__all__ = [
    "BACKGROUNDS",
    "CLASSES",
    "Mesh",
    "Poses",
    "Shots",
    "Solids",
    "Views",
    "camera",
    "draw",
    "expose",
    "look",
    "printed",
    "radiance",
    "read_obj",
    "render",
    "solid",
    "write_obj",
]
