package ingest

import (
	"bytes"
	"encoding/json"
)

// scanner walks the members of an object that is known to be valid JSON. It
// exists for speed: events come by the ten thousand, and a json.Decoder costs
// more than everything else that is done to one.
type scanner struct {
	data []byte
	at   int
}

// member returns the next key and value as they are written; ok is false at the
// end of the object.
func (s *scanner) member() (key, value json.RawMessage, ok bool) {
	s.skip(" \t\r\n,")
	if s.at >= len(s.data) || s.data[s.at] == '}' {
		return nil, nil, false
	}
	key = s.value()
	s.skip(" \t\r\n:")
	return key, s.value(), true
}

func (s *scanner) skip(chars string) {
	for s.at < len(s.data) && bytes.IndexByte([]byte(chars), s.data[s.at]) >= 0 {
		s.at++
	}
}

// value passes over one value.
func (s *scanner) value() json.RawMessage {
	start, depth := s.at, 0
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			s.text()
			if depth == 0 {
				return s.data[start:s.at]
			}
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 { // a number or word before the end of its object
				return s.data[start:s.at]
			}
			if depth--; depth == 0 {
				s.at++
				return s.data[start:s.at]
			}
		case depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			return s.data[start:s.at]
		}
		s.at++
	}
	return s.data[start:s.at]
}

// text passes over a quoted text.
func (s *scanner) text() {
	for s.at++; s.at < len(s.data); s.at++ {
		switch s.data[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return
		}
	}
}

// textOf reads a quoted text.
func textOf(raw json.RawMessage) (string, error) {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}
