"""The suite itself."""

# What is made here by running the product, and holds no source.
MADE = {"var"}


def test_no_folder_with_tests_is_left_out_when_all_are_run(pytestconfig):
    folders = {path for path in pytestconfig.rootpath.iterdir() if path.is_dir() and not path.name.startswith(".")}
    with_tests = {path.name for path in folders if path.name not in MADE and any(path.rglob("test_*.py"))}
    assert with_tests == set(pytestconfig.getini("testpaths"))
