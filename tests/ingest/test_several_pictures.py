"""A row that names several pictures: each is an item of its own, id, id#2, id#3, of one group."""

import os
import shutil

import netCDF4
from support import akin, draw, fresh, main

os.chdir(fresh("several_pictures"))
for i in range(6):
    draw(f"{i}.png", i)


def items(table, *words, ranks=0):
    with open("c.csv", "w") as f:
        f.write(table)
    report = akin("ingest", "c.csv", "-o", "c.nc", "--rejects", "r.csv", "--max-reject-fraction", "1", "--json", *words, ranks=ranks).json
    assert report["items"] + report["rejected"] == report["rows"]
    with netCDF4.Dataset("c.nc") as d:
        names = [str(name) for name in d["group_name"][:]]
        return {str(id): (names[group] if group >= 0 else "", int(d["content_hash"][i]))
                for i, (id, group) in enumerate(zip(d["id"][:], d["group"][:].filled(-1)))}


def test_paths_in_one_cell_or_in_several_columns():
    one = items("id,path\na,0.png|1.png|2.png\nb,3.png\n")
    assert {id: group for id, (group, _) in one.items()} == {"a": "a", "a#2": "a", "a#3": "a", "b": ""}
    assert len({hash for _, hash in one.values()}) == 4
    assert items("id,path,path2,path3\na,0.png,1.png,2.png\nb,3.png,,\n") == one
    assert items("id,path,path2\na,0.png,1.png | 2.png\nb,,3.png\n", ranks=2) == one
    assert items("sku,front,back\na,0.png,1.png|2.png\nb,3.png,\n", "--columns", "id=sku path=front path2=back") == one


def test_a_row_keeps_its_own_group():
    assert {id: group for id, (group, _) in items("id,path,group\na,0.png|1.png,shirt\nb,2.png,shirt\n").items()} == \
        {"a": "shirt", "a#2": "shirt", "b": "shirt"}


def test_a_name_with_a_bar_stays_one_file():
    shutil.copy("4.png", "x|y.png")
    assert list(items("id,path\na,x|y.png\n")) == ["a"]


def test_one_missing_picture_leaves_the_others():
    assert list(items("id,path\na,0.png|absent.png|2.png\n")) == ["a", "a#3"]
    with open("r.csv") as f:
        assert "a#2" in f.read()


if __name__ == "__main__":
    main(globals())
