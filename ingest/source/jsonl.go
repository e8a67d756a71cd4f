package source

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// nextJSON reads one line that is not blank. Whether it is JSON is for its
// reader to say.
func (f *File) nextJSON() (Row, error) {
	for {
		line, long, err := f.lines.next()
		if err != nil {
			return Row{}, err
		}
		row := Row{Line: f.lines.number, Raw: string(bytes.TrimSpace(line))}
		switch {
		case long:
			return row, &RowError{Reason: fmt.Sprintf("the row is longer than %d bytes", MaxRowBytes)}
		case row.Raw == "":
			continue
		}
		return row, nil
	}
}

// Flatten reads a JSON object as columns: nested members get dotted names, texts
// stand for themselves, null is the empty text, numbers and truth values stand
// as they are written, and lists stay JSON. Errors: *RowError.
func Flatten(raw string) (map[string]string, error) {
	if !utf8.ValidString(raw) {
		return nil, &RowError{Reason: "is not valid UTF-8", Value: strings.ToValidUTF8(raw, "\uFFFD")}
	}
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	var object map[string]any
	if err := dec.Decode(&object); err != nil || object == nil {
		return nil, &RowError{Reason: "the row is not a JSON object"}
	}
	if dec.More() {
		return nil, &RowError{Reason: "the row holds more than one JSON object"}
	}
	out := make(map[string]string, len(object))
	flatten(out, "", object)
	return out, nil
}

func flatten(out map[string]string, prefix string, object map[string]any) {
	for k, v := range object {
		switch x := v.(type) {
		case nil:
			out[prefix+k] = ""
		case string:
			out[prefix+k] = x
		case map[string]any:
			flatten(out, prefix+k+".", x)
		case []any:
			b, err := json.Marshal(x)
			if err == nil {
				out[prefix+k] = string(b)
			}
		default:
			out[prefix+k] = fmt.Sprint(x)
		}
	}
}
