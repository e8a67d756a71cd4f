package embed

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"unsafe"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/text"
)

// The artefact is little-endian: magic, header, then per feature its hash, its
// weight and its scale, then the rows of the projection in 8 bits, then the query
// map if there is one, and last the SHA-256 of all before it.
var magic = [8]byte{'L', 'E', 'C', 'T', 'E', 'M', 'B', '2'}

// The bounds of what LoadLocal accepts, so that a damaged header cannot ask for
// more memory than an artefact can need.
const (
	maxDim      = 4096
	maxFeatures = 4_000_000
)

// header is the fixed part of an artefact.
type header struct {
	Text        [16]byte // text.Version, padded with zeros
	Dim         uint32
	Features    uint32
	TitleWeight float32
	MinChars    uint32
	MaxChars    uint32
	QueryMap    uint32 // 1 when there is one
}

// Save writes the artefact.
func (l *Local) Save(w io.Writer) error {
	h := sha256.New()
	buffered := bufio.NewWriterSize(w, 1<<16)
	if err := l.write(io.MultiWriter(buffered, h)); err != nil {
		return fmt.Errorf("save embedder: %w", err)
	}
	if _, err := buffered.Write(h.Sum(nil)); err != nil {
		return fmt.Errorf("save embedder: %w", err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("save embedder: %w", err)
	}
	return nil
}

// write writes everything but the checksum.
func (l *Local) write(w io.Writer) error {
	hd := header{
		Dim: uint32(l.dim), Features: uint32(len(l.ids)), TitleWeight: l.extractor.titleWeight,
		MinChars: uint32(l.extractor.minChars), MaxChars: uint32(l.extractor.maxChars),
	}
	if l.queryMap != nil {
		hd.QueryMap = 1
	}
	copy(hd.Text[:], text.Version)
	if _, err := w.Write(magic[:]); err != nil {
		return err
	}
	for _, part := range []any{hd, l.ids, l.weights, l.scales} {
		if err := binary.Write(w, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	if _, err := w.Write(asBytes(l.rows)); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, l.queryMap)
}

// asBytes views signed bytes as bytes.
func asBytes(v []int8) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), len(v))
}

// LoadLocal reads an artefact that Save wrote. Errors: CodeInvalid for anything
// else, for damage, and for an artefact made under other text rules, which must
// be trained anew.
func LoadLocal(r io.Reader) (*Local, error) {
	all, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("load embedder: %w", err)
	}
	headerSize := len(magic) + binary.Size(header{})
	if len(all) < headerSize+sha256.Size || !bytes.HasPrefix(all, magic[:]) {
		return nil, lectern.Errorf(lectern.CodeInvalid, "load embedder: not an embedder artefact")
	}
	body, sum := all[:len(all)-sha256.Size], all[len(all)-sha256.Size:]
	if got := sha256.Sum256(body); !bytes.Equal(got[:], sum) {
		return nil, lectern.Errorf(lectern.CodeInvalid, "load embedder: the artefact is damaged: its checksum does not match")
	}
	in := bytes.NewReader(body[len(magic):])
	var hd header
	if err := binary.Read(in, binary.LittleEndian, &hd); err != nil {
		return nil, fmt.Errorf("load embedder: %w", err)
	}
	if v := string(bytes.TrimRight(hd.Text[:], "\x00")); v != text.Version {
		return nil, lectern.Errorf(lectern.CodeInvalid, "load embedder: made under text rules %q, these are %q; train it anew", v, text.Version)
	}
	n, dim := int(hd.Features), int(hd.Dim)
	if dim < 1 || dim > maxDim || n < 1 || n > maxFeatures || hd.QueryMap > 1 || in.Len() != n*(8+4+4+dim)+int(hd.QueryMap)*4*dim*dim || hd.MinChars > 16 || hd.MaxChars > 16 {
		return nil, lectern.Errorf(lectern.CodeInvalid, "load embedder: the header does not fit the artefact's size")
	}
	l := &Local{
		extractor: extractor{analyzer: text.NewAnalyzer(), titleWeight: hd.TitleWeight, minChars: int(hd.MinChars), maxChars: int(hd.MaxChars)},
		dim:       dim, ids: make([]uint64, n), weights: make([]float32, n), scales: make([]float32, n), rows: make([]int8, n*dim),
	}
	if hd.QueryMap == 1 {
		l.queryMap = make([]float32, dim*dim)
	}
	for _, part := range []any{l.ids, l.weights, l.scales, l.rows, l.queryMap} {
		if err := binary.Read(in, binary.LittleEndian, part); err != nil {
			return nil, fmt.Errorf("load embedder: %w", err)
		}
	}
	if !l.sortedRows() || !allFinite(l.weights) || !allFinite(l.scales) || !allFinite(l.queryMap) {
		return nil, lectern.Errorf(lectern.CodeInvalid, "load embedder: the artefact holds impossible values")
	}
	return l, l.finish()
}

func allFinite(v []float32) bool {
	for _, x := range v {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
			return false
		}
	}
	return true
}
