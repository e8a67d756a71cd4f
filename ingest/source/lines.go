package source

import (
	"bufio"
	"bytes"
	"errors"
)

// lineReader reads lines and can take lines back, so that a row that turns out
// to be malformed costs one line and not all that its open quote ran over.
type lineReader struct {
	r      *bufio.Reader
	number int     // of the line returned last
	back   []taken // to be returned again, in order
	err    error   // of r, once met
}

// taken is a line as next returned it.
type taken struct {
	line []byte
	long bool
}

// next returns the next line with its line end. The slice is the caller's to
// keep. long reports that the line was over MaxRowBytes; it is cut then. A line
// that a broken stream leaves unfinished is not returned, because it would pass
// for a whole one.
func (l *lineReader) next() (line []byte, long bool, err error) {
	if len(l.back) > 0 {
		t := l.back[0]
		l.back = l.back[1:]
		l.number++
		return t.line, t.long, nil
	}
	if l.err != nil {
		return nil, false, l.err
	}
	for {
		part, err := l.r.ReadSlice('\n')
		if room := MaxRowBytes - len(line); len(part) > room {
			part, long = part[:room], true
		}
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			l.err = err
			if !isEOF(err) || len(line) == 0 {
				return nil, false, err
			}
		}
		l.number++
		return line, long, nil
	}
}

// unread takes lines back that followed the current one.
func (l *lineReader) unread(lines []taken) {
	if len(lines) == 0 {
		return
	}
	l.number -= len(lines)
	l.back = append(append(make([]taken, 0, len(lines)+len(l.back)), lines...), l.back...)
}

// chomp removes the line end.
func chomp(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
