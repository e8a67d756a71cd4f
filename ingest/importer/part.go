package importer

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/lectern-dev/lectern"
)

// Part is one of Of shares of an import's rows, counted from 1, so that several
// processes can import the same files at once. The zero Part is all rows.
//
// A row's part depends on whom or what it is about and on nothing else: on the
// course of courses, reviews and ratings, and on the learner of learners and
// events. So all that depends on the order of rows stays in one process: patches
// of one course, a visitor's merges, and the numbers of equal ratings, which are
// counted within a run.
type Part struct{ Index, Of int }

// ParsePart reads "1/2": the first of two parts. Errors: CodeInvalid.
func ParsePart(s string) (Part, error) {
	index, of, found := strings.Cut(s, "/")
	i, errIndex := strconv.Atoi(index)
	n, errOf := strconv.Atoi(of)
	p := Part{Index: i, Of: n}
	if !found || errIndex != nil || errOf != nil || p == (Part{}) || p.validate() != nil {
		return Part{}, noPart(s)
	}
	return p, nil
}

// String is what ParsePart reads, "" for all rows.
func (p Part) String() string {
	if p == (Part{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", p.Index, p.Of)
}

func (p Part) validate() error {
	if p == (Part{}) || p.Index >= 1 && p.Index <= p.Of {
		return nil
	}
	return noPart(p.String())
}

func noPart(s string) error {
	return lectern.Invalid("no part of an import", lectern.NewFieldError("part", s, "is no part", "1/2, 2/2, 1/3 and so on"))
}

// has reports whether rows with this key are in the part. What it answers must
// never change: processes of two versions would import a row twice or not at all.
func (p Part) has(key string) bool {
	if p.Of <= 1 {
		return true
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(key)) // never fails
	h := hash.Sum64()
	h ^= h >> 32 // the lowest bits of FNV alone know only the lowest bits of the key
	return h%uint64(p.Of) == uint64(p.Index-1)
}
