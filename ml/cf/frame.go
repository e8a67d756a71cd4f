package cf

import (
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/lectern-dev/lectern"
)

// A saved model is a frame: magic, the model's name, its version, then fields that
// only the model knows, then a checksum of all that went before. Numbers are
// little-endian; every list starts with its length. A reader takes exactly the
// frame's bytes, so that frames may follow each other in one stream.

const (
	frameMagic = "LCTRNCF1"
	// maxName and maxParams bound what a frame may claim before anything is
	// allocated for it; lists grow only with bytes that are really there.
	maxName   = 64
	maxParams = 64
	// maxLength bounds the length of a list: an item–item matrix of 20,000 courses.
	maxLength = 400_000_000
	// frameChunk is how many numbers are read or written at a time.
	frameChunk = 16 << 10
)

// frameWriter writes a frame. The first error stays and is returned by close.
type frameWriter struct {
	w   io.Writer
	sum hash.Hash32
	buf []byte
	err error
}

// newFrame starts a frame of the model of that name.
func newFrame(w io.Writer, name string, version uint32) *frameWriter {
	f := &frameWriter{w: w, sum: crc32.NewIEEE()}
	f.write([]byte(frameMagic))
	f.text(name)
	f.u32(version)
	return f
}

func (f *frameWriter) write(b []byte) {
	if f.err != nil {
		return
	}
	f.sum.Write(b)
	_, f.err = f.w.Write(b)
}

func (f *frameWriter) u32(v uint32) { f.write(binary.LittleEndian.AppendUint32(nil, v)) }
func (f *frameWriter) u64(v uint64) { f.write(binary.LittleEndian.AppendUint64(nil, v)) }

func (f *frameWriter) flag(v bool) {
	if v {
		f.u32(1)
	} else {
		f.u32(0)
	}
}

func (f *frameWriter) float(v float64) { f.u64(math.Float64bits(v)) }

func (f *frameWriter) text(s string) {
	f.u32(uint32(len(s)))
	f.write([]byte(s))
}

// params writes hyper-parameters in the order of their names.
func (f *frameWriter) params(p Params) {
	f.u32(uint32(len(p)))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		f.text(name)
		f.float(p[name])
	}
}

func (f *frameWriter) floats(v []float32) { writeList(f, v, math.Float32bits) }
func (f *frameWriter) ints(v []int32)     { writeList(f, v, func(x int32) uint32 { return uint32(x) }) }

// writeList writes a list of numbers of four bytes, a chunk at a time.
func writeList[T float32 | int32](f *frameWriter, v []T, bits func(T) uint32) {
	f.u64(uint64(len(v)))
	for part := range slices.Chunk(v, frameChunk) {
		f.buf = f.buf[:0]
		for _, x := range part {
			f.buf = binary.LittleEndian.AppendUint32(f.buf, bits(x))
		}
		f.write(f.buf)
	}
}

// close ends the frame with its checksum.
func (f *frameWriter) close() error {
	f.write(binary.LittleEndian.AppendUint32(nil, f.sum.Sum32()))
	return f.err
}

// frameReader reads a frame. After the first error everything reads as zero or
// empty; close returns that error, CodeInvalid for bytes that are no such frame.
type frameReader struct {
	r   io.Reader
	sum hash.Hash32
	buf []byte
	err error
}

// openFrame starts to read a frame that must be of that model and version.
func openFrame(r io.Reader, name string, version uint32) *frameReader {
	f := &frameReader{r: r, sum: crc32.NewIEEE()}
	if string(f.read(len(frameMagic))) != frameMagic {
		f.fail("does not start like a saved model")
	}
	if got := f.text(); f.err == nil && got != name {
		f.fail("is of the model %q, not %q", got, name)
	}
	if got := f.u32(); f.err == nil && got != version {
		f.fail("has version %d of the form, not %d", got, version)
	}
	return f
}

// fail keeps the first thing that was found wrong.
func (f *frameReader) fail(format string, args ...any) {
	if f.err == nil {
		f.err = lectern.Errorf(lectern.CodeInvalid, "saved model "+format, args...)
	}
}

// read returns the next n bytes, good until the next call; n is bounded by callers.
func (f *frameReader) read(n int) []byte {
	if f.err != nil {
		return nil
	}
	if cap(f.buf) < n {
		f.buf = make([]byte, n)
	}
	b := f.buf[:n]
	if _, err := io.ReadFull(f.r, b); err != nil {
		f.fail("ends too early: %w", err)
		return nil
	}
	f.sum.Write(b)
	return b
}

func (f *frameReader) u32() uint32 {
	if b := f.read(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (f *frameReader) u64() uint64 {
	if b := f.read(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (f *frameReader) flag() bool {
	v := f.u32()
	if v > 1 {
		f.fail("holds a flag that cannot be")
	}
	return v == 1
}

// float reads a number that must be finite.
func (f *frameReader) float() float64 {
	v := math.Float64frombits(f.u64())
	if math.IsNaN(v) || math.IsInf(v, 0) {
		f.fail("holds a number that is not finite")
		return 0
	}
	return v
}

// length reads a length that must be within 0 and most.
func (f *frameReader) length(most uint64) int {
	n := f.u64()
	if n > most {
		f.fail("claims %d entries where at most %d can be", n, most)
		return 0
	}
	return int(n)
}

func (f *frameReader) text() string {
	n := f.u32()
	if n > maxName {
		f.fail("claims a name of %d bytes", n)
	}
	return string(f.read(int(n)))
}

// params reads hyper-parameters, which o must accept in full.
func (f *frameReader) params(o options) Params {
	n := f.u32()
	if n > maxParams {
		f.fail("claims %d parameters", n)
	}
	p := make(Params)
	for i := uint32(0); i < n && f.err == nil; i++ {
		name := f.text()
		p[name] = f.float()
	}
	if f.err != nil {
		return o.defaults()
	}
	full, err := o.resolve("saved", p)
	if err != nil {
		f.fail("has other parameters: %w", err)
		return o.defaults()
	}
	return full
}

// floats reads a list of finite numbers that must have want entries.
func (f *frameReader) floats(want int) []float32 {
	return readList(f, want, want, func(bits uint32) (float32, bool) {
		return math.Float32frombits(bits), bits&0x7f800000 != 0x7f800000 // all ones: infinite or no number
	})
}

// ints reads a list of want numbers from least to below.
func (f *frameReader) ints(want int, least, below int32) []int32 {
	return readList(f, want, want, func(bits uint32) (int32, bool) {
		v := int32(bits)
		return v, v >= least && v < below
	})
}

// intsUpTo is ints for a list of any length up to most.
func (f *frameReader) intsUpTo(most int, least, below int32) []int32 {
	return readList(f, 0, most, func(bits uint32) (int32, bool) {
		v := int32(bits)
		return v, v >= least && v < below
	})
}

// readList reads a list of least to most entries. It grows with what arrives, not
// with what is claimed.
func readList[T float32 | int32](f *frameReader, least, most int, value func(uint32) (T, bool)) []T {
	n := f.length(uint64(min(most, maxLength)))
	if f.err == nil && n < least {
		f.fail("has a list of %d entries where %d belong", n, least)
	}
	if f.err != nil {
		return nil
	}
	list := make([]T, 0, min(n, frameChunk))
	for len(list) < n {
		part := min(n-len(list), frameChunk)
		b := f.read(part * 4)
		if b == nil {
			return nil
		}
		for i := range part {
			v, ok := value(binary.LittleEndian.Uint32(b[4*i:]))
			if !ok {
				f.fail("holds a number that cannot be")
				return nil
			}
			list = append(list, v)
		}
	}
	return list
}

// close checks the checksum and returns the first error.
func (f *frameReader) close() error {
	want := f.sum.Sum32()
	if got := f.u32(); f.err == nil && got != want {
		f.fail("is damaged: its checksum is another")
	}
	return f.err
}
