"""Lets a Chromium trust the authorities of a PEM file: Chromium does not read `SSL_CERT_FILE`.

On Linux it takes authorities that a user added from an NSS database below the home folder. This makes one there, with
NSS itself (libnss3, which Chromium brings along). No error of a certificate is ever ignored: host names, dates and
chains are checked as always.

Run as `python -m xget_sources.browser.trust HOME PEM` in a process of its own: NSS keeps state in the whole process.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import ssl
import sys
from pathlib import Path
from typing import Any, Final

DATABASES: Final = (".pki/nssdb", ".local/share/pki/nssdb")
"""Where Chromium looks, by its version."""
SYSTEM: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_P, _I, _S = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
_FUNCTIONS: Final[dict[str, tuple[Any, list[Any]]]] = {
    "NSS_InitReadWrite": (_I, [_S]),
    "PK11_GetInternalKeySlot": (_P, []),
    "PK11_InitPin": (_I, [_P, _S, _S]),
    "CERT_GetDefaultCertDB": (_P, []),
    "CERT_NewTempCertificate": (_P, [_P, _P, _S, _I, _I]),
    "PK11_ImportCert": (_I, [_P, _P, ctypes.c_ulong, _S, _I]),
    "CERT_ChangeCertTrust": (_I, [_P, _P, _P]),
}
_TRUSTED_FOR_SERVERS: Final = 0x10 | 0x08  # CERTDB_TRUSTED_CA, CERTDB_VALID_CA


class _Item(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("data", ctypes.c_char_p), ("len", ctypes.c_uint))


def own_authorities(pem: Path, system: Path = SYSTEM) -> list[bytes]:
    """Certificates (DER) of a file that the system does not know anyway. Raises OSError."""
    known = set(_certificates(system)) if system.exists() else set()
    return [one for one in _certificates(pem) if one not in known]


def _certificates(pem: Path) -> list[bytes]:
    return [ssl.PEM_cert_to_DER_cert(found) for found in _PEM.findall(pem.read_text("utf-8", "replace"))]


def make_database(home: Path, authorities: list[bytes]) -> None:
    """Write the databases below a home folder. Raises OSError when NSS is missing or refuses."""
    folder = home / DATABASES[0]
    folder.mkdir(parents=True, exist_ok=True)
    nss = ctypes.CDLL("libnss3.so")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(nss, name)
        function.restype, function.argtypes = result, arguments
    _check(nss.NSS_InitReadWrite(f"sql:{folder}".encode()))
    slot, database = nss.PK11_GetInternalKeySlot(), nss.CERT_GetDefaultCertDB()
    _check(nss.PK11_InitPin(slot, None, b""))
    for number, der in enumerate(authorities):
        item = _Item(0, der, len(der))
        certificate = nss.CERT_NewTempCertificate(database, ctypes.byref(item), None, 0, 1)
        _check(0 if certificate else -1)
        _check(nss.PK11_ImportCert(slot, certificate, 0, f"xget-{number}".encode(), 0))
        trust = (ctypes.c_uint * 3)(_TRUSTED_FOR_SERVERS, 0, 0)
        _check(nss.CERT_ChangeCertTrust(database, certificate, ctypes.byref(trust)))
    for other in DATABASES[1:]:
        shutil.copytree(folder, home / other, dirs_exist_ok=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError("NSS does not take the authorities of SSL_CERT_FILE")


if __name__ == "__main__":
    make_database(Path(sys.argv[1]), own_authorities(Path(sys.argv[2])))
