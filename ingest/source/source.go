// Package source reads rows out of files: CSV and JSON lines, plain or gzipped,
// in UTF-8 or an older encoding. A row that cannot be read is reported with its
// number and line, and reading goes on; only a file that breaks off ends it.
package source

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// MaxRowBytes bounds one row, so that an unclosed quote cannot swallow a file.
const MaxRowBytes = 4 << 20

// Format is how rows are written in a file.
type Format string

// The formats that can be read. An empty Format is told by the file's name and
// its first byte.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl" // one JSON object a line
)

// Options say how to read a file. The zero value reads UTF-8 CSV, whose delimiter
// is told by the headings, and JSON lines.
type Options struct {
	Format    Format
	Delimiter byte   // of CSV; 0 is a tab in a .tsv file, and else told by the headings
	Encoding  string // one of Encodings; "" is utf-8. UTF-16 with a BOM is always understood
}

// Encodings lists the encodings that can be named in Options.
func Encodings() []string {
	return []string{"utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "windows-1251", "macintosh"}
}

func encodingOf(name string) (encoding.Encoding, error) {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return nil, nil
	case "utf-16":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), nil
	case "windows-1252":
		return charmap.Windows1252, nil
	case "iso-8859-1":
		return charmap.ISO8859_1, nil
	case "iso-8859-15":
		return charmap.ISO8859_15, nil
	case "windows-1251":
		return charmap.Windows1251, nil
	case "macintosh":
		return charmap.Macintosh, nil
	}
	return nil, lectern.Invalid("unknown encoding"+nearest.Hint(name, Encodings()),
		lectern.NewFieldError("encoding", name, "is not an encoding that can be read", strings.Join(Encodings(), ", ")))
}

// Row is one row of a file.
type Row struct {
	Number int      // 1-based; the heading is not a row
	Line   int      // 1-based line on which the row begins
	Values []string // of CSV, one per heading
	Raw    string   // the row as it stands in the file, without its line end
}

// RowError says why one row could not be read. Reading may go on.
type RowError struct {
	Field  string // heading, where it can be told
	Value  string
	Reason string
}

// Error implements the error interface.
func (e *RowError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// File reads the rows of one file.
type File struct {
	Path   string
	Format Format

	file   *os.File
	size   int64
	read   atomic.Int64 // bytes of the file, for progress
	lines  *lineReader
	delim  byte
	told   bool // delim was told by the headings
	header []string
	rows   int
}

// Open opens a file and, for CSV, reads its headings. Errors: CodeInvalid for a
// file that is no CSV or JSON lines.
func Open(path string, opts Options) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, lectern.Errorf(lectern.CodeInvalid, "cannot %w", err) // "open NAME: why"
	}
	f := &File{Path: path, file: file}
	if err := f.start(opts); err != nil {
		_ = file.Close() // the first error says more
		return nil, err
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Header returns the headings of a CSV file, nil for JSON lines.
func (f *File) Header() []string { return f.header }

// Delimiter returns what stands between the columns of a CSV file, and whether
// that was told by the headings for want of better knowledge.
func (f *File) Delimiter() (delimiter byte, told bool) { return f.delim, f.told }

// Progress returns how many bytes of the file were read, and its size. It may be
// called while another goroutine reads.
func (f *File) Progress() (read, size int64) { return f.read.Load(), f.size }

func (f *File) start(opts Options) error {
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	if info.IsDir() {
		return lectern.Errorf(lectern.CodeInvalid, "%s is a folder", f.Path)
	}
	f.size = info.Size()
	r, err := f.decoded(opts.Encoding)
	if err != nil {
		return err
	}
	br := bufio.NewReaderSize(r, 256<<10)
	if bom, _ := br.Peek(3); bytes.Equal(bom, []byte("\xEF\xBB\xBF")) {
		_, _ = br.Discard(3)
	}
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(f.Path)), ".gz")
	if f.Format, err = formatOf(name, opts.Format, br); err != nil {
		return lectern.Errorf(lectern.CodeInvalid, "%s: %v", f.Path, f.explain(err))
	}
	f.lines = &lineReader{r: br}
	if f.Format == JSONL {
		return nil
	}
	if f.delim = opts.Delimiter; f.delim == 0 {
		if strings.HasSuffix(name, ".tsv") {
			f.delim = '\t'
		} else {
			f.delim, f.told = tellDelimiter(br)
		}
	}
	return f.readHeader()
}

// decoded returns the file's text as UTF-8: unpacked, and out of its encoding.
func (f *File) decoded(enc string) (io.Reader, error) {
	counted := bufio.NewReaderSize(&countingReader{f.file, &f.read}, 64<<10)
	var r io.Reader = counted
	magic, _ := counted.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		gz, err := gzip.NewReader(counted)
		if err != nil {
			return nil, lectern.Errorf(lectern.CodeInvalid, "%s: %v", f.Path, f.explain(err))
		}
		r = gz
	case bytes.HasPrefix(magic, []byte("PK\x03\x04")):
		return nil, lectern.Errorf(lectern.CodeInvalid, "%s is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV", f.Path)
	}
	br := bufio.NewReaderSize(r, 64<<10)
	bom, _ := br.Peek(2)
	if bytes.Equal(bom, []byte{0xff, 0xfe}) || bytes.Equal(bom, []byte{0xfe, 0xff}) {
		enc = "utf-16"
	}
	e, err := encodingOf(enc)
	if err != nil || e == nil {
		return br, err
	}
	return e.NewDecoder().Reader(br), nil
}

func formatOf(name string, asked Format, br *bufio.Reader) (Format, error) {
	if asked != "" {
		return asked, nil
	}
	switch filepath.Ext(name) {
	case ".jsonl", ".ndjson":
		return JSONL, nil
	case ".csv", ".tsv":
		return CSV, nil
	}
	head, err := br.Peek(512)
	if len(head) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch trimmed := bytes.TrimSpace(head); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		return JSONL, nil
	case bytes.HasPrefix(trimmed, []byte("[")):
		return "", errors.New("the file is a JSON list: write one object a line instead")
	}
	return CSV, nil
}

// Next returns the next row. Errors: *RowError for a row that cannot be read
// (the row then carries its number, line and raw text), io.EOF at the end, and
// any other error when the file breaks off; rows before it are whole.
func (f *File) Next() (Row, error) {
	var row Row
	var err error
	if f.Format == JSONL {
		row, err = f.nextJSON()
	} else {
		row, err = f.nextCSV()
	}
	if _, bad := errors.AsType[*RowError](err); err == nil || bad {
		f.rows++
		row.Number = f.rows
		return row, err
	}
	if errors.Is(err, io.EOF) {
		return Row{}, io.EOF
	}
	return Row{}, fmt.Errorf("%s breaks off after row %d: %w", f.Path, f.rows, f.explain(err))
}

// explain says in plain words what a broken stream means.
func (f *File) explain(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the gzip data ends early; is the file truncated? (%w)", err)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return fmt.Errorf("the gzip data is damaged (%w)", err)
	}
	return err
}

type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
