package mapping

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/text/encoding/charmap"
)

// repairs lists the encodings that UTF-8 text is known to be mistaken for.
func repairs() []string { return []string{"macintosh", "windows-1252"} }

// repairText undoes UTF-8 that was once read as another encoding ("donâ€™t",
// "don‚Äôt"): every run of non-ASCII characters whose bytes in that encoding are
// UTF-8 becomes what those bytes say. Other text is left alone.
func repairText(encoding, s string) string {
	var cm *charmap.Charmap
	switch encoding {
	case "macintosh":
		cm = charmap.Macintosh
	case "windows-1252":
		cm = charmap.Windows1252
	default:
		return s
	}
	ascii := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	if ascii {
		return s
	}
	var b strings.Builder
	for s != "" {
		if i := strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }); i != 0 {
			if i < 0 {
				i = len(s)
			}
			b.WriteString(s[:i])
			s = s[i:]
			continue
		}
		end := strings.IndexFunc(s, func(r rune) bool { return r < utf8.RuneSelf })
		if end < 0 {
			end = len(s)
		}
		b.WriteString(repairRun(cm, s[:end]))
		s = s[end:]
	}
	return b.String()
}

// repairRun repairs one run without ASCII, or returns it as it is.
func repairRun(cm *charmap.Charmap, run string) string {
	raw := make([]byte, 0, len(run))
	for _, r := range run {
		c, ok := cm.EncodeRune(r)
		if !ok && r < 0x100 { // windows-1252 leaves five bytes undefined; readers pass them on
			c, ok = byte(r), true
		}
		if !ok {
			return run
		}
		raw = append(raw, c)
	}
	if !utf8.Valid(raw) {
		return run
	}
	return string(raw)
}

// blockTags begin a new line.
func blockTag(name string) bool {
	switch name {
	case "p", "br", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "blockquote", "pre":
		return true
	}
	return false
}

// stripHTML returns the text of a piece of HTML: tags, scripts and styles are
// dropped, entities read, blocks put on lines of their own.
func stripHTML(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(s))
	skip := 0
	for {
		switch t := z.Next(); t {
		case html.ErrorToken:
			return tidyLines(b.String())
		case html.TextToken:
			if skip == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			raw, _ := z.TagName()
			name := string(raw)
			if name == "script" || name == "style" {
				if t == html.StartTagToken {
					skip++
				} else if skip > 0 {
					skip--
				}
			}
			if blockTag(name) {
				b.WriteByte('\n')
			}
		}
	}
}

// tidyLines trims each line and drops empty ones.
func tidyLines(s string) string {
	lines := strings.Split(s, "\n")
	kept := lines[:0]
	for _, l := range lines {
		if l = strings.Join(strings.Fields(l), " "); l != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}
