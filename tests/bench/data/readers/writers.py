"""Files as others write them, of canonical k-space (slice, coil, Y, X); written without the package under test."""

import h5py
import numpy as np

HEADER = """<?xml version="1.0"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
  <subjectInformation><patientID>{person}</patientID></subjectInformation>
  <measurementInformation><protocolName>{protocol}</protocolName></measurementInformation>
  <experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions>
  <encoding>
    <encodedSpace>
      <matrixSize><x>{x}</x><y>{y}</y><z>{z}</z></matrixSize>
      <fieldOfView_mm><x>{fov_x}</x><y>{fov_y}</y><z>{fov_z}</z></fieldOfView_mm>
    </encodedSpace>
    <reconSpace>
      <matrixSize><x>{recon_x}</x><y>{y}</y><z>{z}</z></matrixSize>
      <fieldOfView_mm><x>{recon_fov_x}</x><y>{fov_y}</y><z>{fov_z}</z></fieldOfView_mm>
    </reconSpace>
    <trajectory>{trajectory}</trajectory>
    <encodingLimits>
      <kspace_encoding_step_1>
        <minimum>0</minimum><maximum>{last_y}</maximum><center>{centre_y}</center>
      </kspace_encoding_step_1>
      <kspace_encoding_step_2>
        <minimum>0</minimum><maximum>{last_z}</maximum><center>{centre_z}</center>
      </kspace_encoding_step_2>
    </encodingLimits>
  </encoding>
</ismrmrdHeader>
"""


def header(matrix, voxel_mm, oversampled, person="p1", protocol="", trajectory="cartesian"):
    """XML of a scan with the matrix (readout without oversampling, ky, kz)."""
    x, y, z = matrix
    fov = [n * mm for n, mm in zip(matrix, voxel_mm, strict=True)]
    twice = 2 if oversampled else 1
    return HEADER.format(
        person=person, protocol=protocol, x=twice * x, y=y, z=z, recon_x=x, fov_x=twice * fov[0], recon_fov_x=fov[0],
        fov_y=fov[1], fov_z=fov[2], last_y=y - 1, last_z=z - 1, centre_y=y // 2, centre_z=z // 2, trajectory=trajectory,
    )  # fmt: skip


def fft(array, axis):
    """Centred, orthonormal."""
    return np.fft.fftshift(np.fft.fft(np.fft.ifftshift(array, axis), axis=axis, norm="ortho"), axis)


def ifft(array, axis):
    """Centred, orthonormal."""
    return np.fft.fftshift(np.fft.ifft(np.fft.ifftshift(array, axis), axis=axis, norm="ortho"), axis)


def oversample(kspace, axis):
    """K-space of twice the field of view along an axis, with nothing but air in what is new."""
    n = kspace.shape[axis]
    before = n - n // 2
    pads = [(before, n - before) if i == axis % kspace.ndim else (0, 0) for i in range(kspace.ndim)]
    return fft(np.pad(ifft(kspace.astype(np.complex128), axis), pads), axis).astype(np.complex64)


def write_fastmri(path, kspace, voxel_mm=(1.0, 1.0), person="p1", contrast="AXT2", oversampled=True, header=True):
    """A multi-coil file of fastMRI's."""
    made = globals()["header"]
    with h5py.File(path, "w") as file:
        stored = oversample(kspace, 2) if oversampled else kspace
        file["kspace"] = stored
        file["reconstruction_rss"] = np.sqrt((np.abs(kspace) ** 2).sum(1))
        if header:
            matrix = (kspace.shape[2], kspace.shape[3], 1)
            file["ismrmrd_header"] = made(matrix, (*voxel_mm, 5.0), oversampled, person="other")
        if person is not None:
            file.attrs["patient_id"] = person
        if contrast is not None:
            file.attrs["acquisition"] = contrast
    return path


def write_m4raw(folder, person, contrast, kspaces):
    """A file a repetition."""
    paths = [folder / f"{person}_{contrast}{i:02d}.h5" for i in range(1, len(kspaces) + 1)]
    for path, kspace in zip(paths, kspaces, strict=True):
        write_fastmri(path, kspace, (0.94, 0.94), "elsewhere", "other", oversampled=False)
    return paths


def write_lines(path, xml, lines):
    """Acquisitions: an array (coil, samples), and what else of the head is to be set; `flags` are numbers from 1."""
    import ismrmrd

    path.unlink(missing_ok=True)
    file = ismrmrd.Dataset(str(path), "dataset", mode="w")
    file.write_xml_header(xml.encode())
    for number, (array, said) in enumerate(lines):
        line = ismrmrd.Acquisition.from_array(np.ascontiguousarray(array, dtype=np.complex64))
        line.scan_counter = number
        line.center_sample = array.shape[1] // 2
        for name, value in said.items():
            if name == "flags":
                for flag in value:
                    line.setFlag(flag)
            elif hasattr(line.idx, name):
                setattr(line.idx, name, value)
            else:
                setattr(line, name, value)
        file.append_acquisition(line)
    file.close()
    return path


def lines_of(kspace, oversampled=True, volume=False):
    """Lines as a scanner reads them: of slices along Y; of a volume (x, coil, Y, X), along x."""
    if not volume:
        stored = oversample(kspace, 2) if oversampled else kspace
        return [
            (stored[s, :, :, ky], {"slice": s, "kspace_encode_step_1": ky})
            for s in range(stored.shape[0])
            for ky in range(stored.shape[3])
        ]
    stored = fft(kspace.astype(np.complex128), 0).astype(np.complex64)
    stored = oversample(stored, 0) if oversampled else stored
    return [
        (stored[:, :, ky, kz].T, {"kspace_encode_step_1": ky, "kspace_encode_step_2": kz})
        for kz in range(stored.shape[3])
        for ky in range(stored.shape[2])
    ]


def write_ismrmrd(path, kspace, voxel_mm, person, oversampled=True, volume=False):
    """A scan without anything but its image; the voxel is (y, x), of a volume too."""
    if volume:
        matrix, voxel = (kspace.shape[0], kspace.shape[2], kspace.shape[3]), (1.0, *voxel_mm)
    else:
        matrix, voxel = (kspace.shape[2], kspace.shape[3], 1), (*voxel_mm, 5.0)
    return write_lines(path, header(matrix, voxel, oversampled, person), lines_of(kspace, oversampled, volume))


def write_calgary(path, kspace, corner=False):
    """Hybrid (x, ky, kz, 2 x coils): DC in the middle as in the published files, or in the corner."""
    image = ifft(ifft(kspace.astype(np.complex128), 2), 3)
    stored = np.fft.fft2(image, norm="ortho")
    if not corner:
        stored = np.fft.fftshift(stored, axes=(2, 3))
    stored = stored.transpose(0, 2, 3, 1)
    parts = np.stack([stored.real, stored.imag], axis=-1).reshape(*stored.shape[:3], -1)
    with h5py.File(path, "w") as file:
        file["kspace"] = parts.astype(np.float32)
    return path


def write_modl(path, maps, images, name="Csm"):
    """By the parts "trn" and "tst": maps (slice, coil, Y, X) and images (slice, Y, X)."""
    with h5py.File(path, "w") as file:
        for part, array in images.items():
            file[f"{part}Org"] = array.astype(np.complex64)
            file[f"{part}{name}"] = maps[part].astype(np.complex64)
            file[f"{part}Mask"] = np.ones(array.shape, np.complex64)
    return path
