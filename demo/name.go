package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// maxSlug bounds the id made from a title, in bytes.
const maxSlug = 64

// name gives course i its id and URL, and its prerequisites theirs. Ids do not
// depend on the order of the courses' names, so prerequisites are named on
// demand.
func (c *catalogue) name(i int, r *rand.Rand, w *writer) {
	l := &c.latent[i]
	course := &c.courses[i]
	w.identify(i)
	for _, p := range l.prereqs {
		w.identify(p)
		course.Prerequisites = append(course.Prerequisites, c.courses[p].ID)
	}
	if len(l.prereqs) > 0 && l.lang == nil && chance(r, 0.6) {
		d := draft{prereq: "“" + c.courses[l.prereqs[0]].Title + "”"}
		if s := w.render(pick(r, c.banks.phrases["prereq"]), &d, capitalise); s != "" {
			course.Description += " " + s
		}
	}
}

// identify makes the id of course i from its title, unless it has one.
func (w *writer) identify(i int) {
	course, l := &w.cat.courses[i], &w.cat.latent[i]
	if course.ID != "" {
		return
	}
	id := slug(course.Title)
	if l.lang != nil {
		// Titles in other scripts leave nothing to spell; all other languages
		// are told from English by their tag.
		id = l.lang.tag + "-" + id
		if l.lang.tag == "zh" || l.lang.tag == "ar" {
			id = l.lang.tag + "-" + slug(l.topic.name) + "-" + string(levels[l.level])
		}
	}
	w.ids[id]++
	if n := w.ids[id]; n > 1 {
		id = fmt.Sprintf("%s--%d", id, n)
	}
	course.ID = id
	course.URL += id
}

// slug spells a title in lower-case ASCII words joined by hyphens.
func slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(s) {
		plain := string(r)
		if r >= 0x80 {
			plain = unaccent(r)
		}
		for _, p := range plain {
			if p == '\'' || p == '’' {
				continue
			}
			if p < 'a' || p > 'z' {
				if p < '0' || p > '9' {
					gap = b.Len() > 0
					continue
				}
			}
			if gap {
				b.WriteByte('-')
				gap = false
			}
			b.WriteRune(p)
		}
	}
	out := b.String()
	if len(out) > maxSlug {
		out = out[:maxSlug]
		if cut := strings.LastIndexByte(out, '-'); cut > 0 {
			out = out[:cut]
		}
	}
	return out
}

// unaccent spells an accented Latin letter in ASCII, a blank for anything else.
func unaccent(r rune) string {
	switch r {
	case 'á', 'à', 'â', 'ã':
		return "a"
	case 'ä':
		return "ae"
	case 'ç':
		return "c"
	case 'é', 'è', 'ê', 'ë':
		return "e"
	case 'í', 'î', 'ï':
		return "i"
	case 'ñ':
		return "n"
	case 'ó', 'ô', 'õ':
		return "o"
	case 'ö':
		return "oe"
	case 'ß':
		return "ss"
	case 'ú', 'û', 'ù':
		return "u"
	case 'ü':
		return "ue"
	case '’':
		return "’"
	}
	return " "
}
