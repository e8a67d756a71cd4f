package mapping

import "golang.org/x/text/encoding/charmap"

// garble reads the UTF-8 bytes of s as Mac Roman, as careless tools do.
func garble(s string) string {
	out, err := charmap.Macintosh.NewDecoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}
