package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
	"github.com/lectern-dev/lectern/ingest/source"
)

// maxRawBytes bounds how much of a rejected row is kept.
const maxRawBytes = 16 << 10

// Reject is one line of the rejects file: a row that was not imported, and why.
type Reject struct {
	Run     string               `json:"run"` // when the import began
	Kind    ingest.Kind          `json:"kind"`
	File    string               `json:"file"`
	Row     int                  `json:"row"`  // 1-based, headings not counted
	Line    int                  `json:"line"` // 1-based line on which the row begins
	Field   string               `json:"field,omitempty"`
	Value   string               `json:"value,omitempty"`
	Reason  string               `json:"reason"`
	Allowed string               `json:"allowed,omitempty"`
	More    []lectern.FieldError `json:"more,omitempty"` // further problems of the row
	Raw     string               `json:"raw"`
	RawCut  bool                 `json:"raw_cut,omitempty"` // Raw is only the beginning
}

func newReject(kind ingest.Kind, path string, row source.Row, err error) Reject {
	r := Reject{Kind: kind, File: path, Row: row.Number, Line: row.Line, Raw: row.Raw}
	if len(r.Raw) > maxRawBytes {
		r.Raw, r.RawCut = r.Raw[:maxRawBytes], true
	}
	r.Raw = strings.ToValidUTF8(r.Raw, "\uFFFD")
	e, ok := errors.AsType[*lectern.Error](err)
	switch {
	case !ok:
		r.Reason = fmt.Sprint(err)
	case len(e.Fields) == 0:
		r.Reason = e.Message
	default:
		first := e.Fields[0]
		r.Field, r.Value, r.Reason, r.Allowed = first.Field, first.Value, first.Reason, first.Allowed
		r.More = e.Fields[1:]
	}
	return r
}

// rejectFile appends to the rejects file.
type rejectFile struct {
	f   *os.File
	run string
}

func openRejects(path string, started time.Time) (*rejectFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open the rejects file: %w", err)
	}
	if err := endLastLine(f); err != nil {
		_ = f.Close() // the first error says more
		return nil, fmt.Errorf("open the rejects file: %w", err)
	}
	// A new file's name must survive a crash as well as its content.
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		_ = dir.Close()
	}
	return &rejectFile{f: f, run: started.Format(time.RFC3339)}, nil
}

// endLastLine closes a line that a killed run left unfinished.
func endLastLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte("\n"))
	return err
}

// write appends rejects and waits until they are on disk.
func (r *rejectFile) write(rejects []Reject) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, reject := range rejects {
		reject.Run = r.run
		if err := enc.Encode(reject); err != nil {
			return fmt.Errorf("write the rejects file: %w", err)
		}
	}
	if _, err := r.f.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write the rejects file: %w", err)
	}
	if err := r.f.Sync(); err != nil {
		return fmt.Errorf("write the rejects file: %w", err)
	}
	return nil
}

func (r *rejectFile) close() error { return r.f.Close() }
