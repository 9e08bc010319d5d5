"""Archives of several files: what they hold together is bounded."""

import zipfile

import pytest
from relaxor.core.errors import ReadError
from relaxor.readers import read
from relaxor.readers.tables import packed

TABLE = "Voltage (V),Current (A)\n" + "".join(f"{i},{i}e-9\n" for i in range(100))


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as written:
        for number in range(3):
            written.writestr(f"sweep{number}.csv", TABLE)
    return tmp_path / "all.zip"


def test_files_that_hold_too_many_numbers_together_are_refused(archive, monkeypatch):
    whole = read(archive)
    assert len(whole.children) == 3
    monkeypatch.setattr(packed, "MAX_NUMBERS_BYTES", whole.nbytes - 1)
    with pytest.raises(ReadError, match=r"sweep2.csv: its files hold more than 0 MiB of numbers together: unpack it"):
        read(archive)


def test_an_encrypted_member_is_not_called_damaged(archive):
    content = bytearray(archive.read_bytes())
    for sign, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag of a password in each header
        place = content.find(sign)
        while place >= 0:
            content[place + flag] |= 1
            place = content.find(sign, place + 1)
    archive.write_bytes(content)
    with pytest.raises(ReadError, match=r"all.zip: is encrypted: unpack it with its password first"):
        read(archive)
