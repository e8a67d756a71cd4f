package indexing

import (
	"encoding/binary"
	"slices"

	"github.com/lectern-dev/lectern"
)

// ArtefactEmbedder is the kind under which trained embedders are kept.
const ArtefactEmbedder = "embedder"

// artefactMagic begins every embedder artefact; its last byte is the version.
const artefactMagic = "LCTEMB\x00\x01"

// EncodeArtefact joins a trained model with the keys of the texts it was trained
// on, by which later changes of the catalogue are measured: magic, number of keys
// (uint32), keys (uint64 each, rising), model; little-endian.
func EncodeArtefact(texts []uint64, model []byte) []byte {
	texts = slices.Clone(texts)
	slices.Sort(texts)
	texts = slices.Compact(texts)
	out := make([]byte, 0, len(artefactMagic)+4+8*len(texts)+len(model))
	out = append(out, artefactMagic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(texts)))
	for _, t := range texts {
		out = binary.LittleEndian.AppendUint64(out, t)
	}
	return append(out, model...)
}

// DecodeArtefact takes apart what EncodeArtefact joined. model is a part of body.
// Errors: CodeInvalid.
func DecodeArtefact(body []byte) (texts []uint64, model []byte, err error) {
	head := len(artefactMagic) + 4
	if len(body) < head || string(body[:len(artefactMagic)]) != artefactMagic {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "not an embedder of this version")
	}
	n := int(binary.LittleEndian.Uint32(body[len(artefactMagic):]))
	body = body[head:]
	if len(body)/8 < n {
		return nil, nil, lectern.Errorf(lectern.CodeInvalid, "an embedder artefact is cut short")
	}
	texts = make([]uint64, n)
	for i := range texts {
		texts[i] = binary.LittleEndian.Uint64(body[8*i:])
		if i > 0 && texts[i] <= texts[i-1] {
			return nil, nil, lectern.Errorf(lectern.CodeInvalid, "an embedder artefact is damaged")
		}
	}
	return texts, body[8*n:], nil
}
