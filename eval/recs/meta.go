package recs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
)

// Courses are what is known of courses beside who took them.
type Courses struct {
	Categories map[string][]string  // by course id
	Skills     map[string][]string  // by course id
	Vectors    map[string][]float32 // by course id, unit length; nil when there are none
	Problems   Problems
}

// columns of course files.
var (
	courseColumn   = []string{"course_id", "id", "course", "item", "item_id", "course_idx2", "course_idx"}
	categoryColumn = []string{"categories", "category", "discipline", "subject", "topic", "genre", "genres", "field"}
	skillColumn    = []string{"skills", "skill"}
)

// NewCourses describes courses of the catalogue.
func NewCourses(courses []lectern.Course) *Courses {
	out := &Courses{Categories: make(map[string][]string), Skills: make(map[string][]string)}
	for _, c := range courses {
		out.add(c.ID, c.Categories, c.Skills)
	}
	return out
}

func (c *Courses) add(id string, categories, skills []string) {
	if len(categories) > 0 {
		c.Categories[id] = categories
	}
	if len(skills) > 0 {
		c.Skills[id] = skills
	}
}

// ReadCourses reads courses as JSON lines, or as comma-separated values with an id
// and a column of categories or skills, parted by | or ;. Errors: CodeInvalid.
func ReadCourses(r io.Reader) (*Courses, error) {
	in, end, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	defer end()
	out := NewCourses(nil)
	if isJSON(in) {
		err = eachJSON(in, &out.Problems, func(line []byte) error {
			var c lectern.Course
			if err := json.Unmarshal(line, &c); err != nil {
				return err
			}
			if c.ID == "" {
				return errors.New("id is missing")
			}
			out.add(c.ID, c.Categories, c.Skills)
			return nil
		})
	} else {
		err = out.readTable(in)
	}
	if err == nil && len(out.Categories)+len(out.Skills) == 0 {
		err = invalid("no course of the file has a category or a skill")
	}
	return out, err
}

func (c *Courses) readTable(in *bufio.Reader) error {
	t, err := openTable(in)
	if err != nil {
		return err
	}
	id, err := t.need(courseColumn)
	if err != nil {
		return err
	}
	categories, skills := t.column(categoryColumn), t.column(skillColumn)
	if categories < 0 && skills < 0 {
		return invalid("the first line must name a column category, discipline or skills; it is %s", quoteShort(strings.Join(t.columns, ",")))
	}
	return t.rows(&c.Problems, func(row []string) error {
		name, err := readID("id", row[id])
		if err != nil {
			return err
		}
		list := func(column int) []string {
			if column < 0 {
				return nil
			}
			var out []string
			for part := range strings.FieldsFuncSeq(row[column], func(r rune) bool { return r == '|' || r == ';' }) {
				if part = strings.TrimSpace(part); part != "" {
					out = append(out, strings.Clone(part))
				}
			}
			return out
		}
		c.add(strings.Clone(name), list(categories), list(skills))
		return nil
	})
}

// eachJSON calls do with every line that is not empty.
func eachJSON(in *bufio.Reader, problems *Problems, do func(line []byte) error) error {
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 0, 64<<10), maxEventLine)
	line := 0
	for scan.Scan() {
		line++
		text := bytes.TrimSpace(bytes.TrimPrefix(scan.Bytes(), []byte("\ufeff")))
		if len(text) == 0 {
			continue
		}
		if err := do(text); err != nil {
			problems.add(line, "%v", err)
		}
	}
	if errors.Is(scan.Err(), bufio.ErrTooLong) {
		return invalid("line %d is longer than %d bytes", line+1, maxEventLine)
	}
	if scan.Err() != nil {
		return unreadable(scan.Err(), line)
	}
	return nil
}

// categories numbers the categories of items; names are in the order of numbers.
func (c *Courses) categories(items []string) (of [][]int32, names []string) {
	of = make([][]int32, len(items))
	if c == nil {
		return of, nil
	}
	numbers := make(map[string]int32)
	for i, id := range items {
		for _, name := range c.Categories[id] {
			n := number(numbers, &names, name)
			if !slices.Contains(of[i], n) {
				of[i] = append(of[i], n)
			}
		}
	}
	return of, names
}

// byTags compares courses by the categories and skills that they share, where most
// have any.
func (c *Courses) byTags(items []string) (Similarity, bool) {
	tags := make([][]int32, len(items))
	numbers := make(map[string]int32)
	var names []string
	described, categories, skills := 0, false, false
	for i, id := range items {
		for _, name := range c.Categories[id] {
			tags[i] = append(tags[i], number(numbers, &names, "c"+name))
			categories = true
		}
		for _, name := range c.Skills[id] {
			tags[i] = append(tags[i], number(numbers, &names, "s"+lectern.FoldKey(name)))
			skills = true
		}
		slices.Sort(tags[i])
		tags[i] = slices.Compact(tags[i])
		if len(tags[i]) > 0 {
			described++
		}
	}
	if float64(described) < describedShare*float64(len(items)) {
		return Similarity{}, false
	}
	what := "categories"
	if skills && categories {
		what = "categories and skills"
	} else if skills {
		what = "skills"
	}
	return Similarity{Of: "1 − Jaccard similarity of " + what, pair: func(a, b int32) float64 { return jaccard(tags[a], tags[b]) }}, true
}

// jaccard compares two rising lists.
func jaccard(a, b []int32) float64 {
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both++
			i++
			j++
		}
	}
	if len(a)+len(b) == both {
		return 0 // neither has any
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// byVectors compares courses by the cosine of their content vectors.
func (c *Courses) byVectors(items []string) Similarity {
	vectors := make([][]float32, len(items))
	for i, id := range items {
		vectors[i] = c.Vectors[id]
	}
	return Similarity{Of: "1 − cosine of content vectors", pair: func(a, b int32) float64 {
		x, y := vectors[a], vectors[b]
		dot := 0.0
		for i := range min(len(x), len(y)) {
			dot += float64(x[i]) * float64(y[i])
		}
		return min(max(dot, 0), 1)
	}}
}

// Person is what is known of a learner beside their history.
type Person struct {
	Region    string
	BirthYear int // 0 is unknown
	Age       int // 0 is unknown
}

// ReadLearners reads learners as JSON lines: id with region, and age, birth_year or
// birth_date. Lines that cannot be read are left out. Errors: CodeInvalid when none
// can be.
func ReadLearners(r io.Reader) (map[string]Person, error) {
	in, end, err := decompressed(r)
	if err != nil {
		return nil, err
	}
	defer end()
	if !isJSON(in) {
		return nil, invalid("the file of learners is not JSON lines")
	}
	var problems Problems
	out := make(map[string]Person)
	err = eachJSON(in, &problems, func(line []byte) error {
		var p struct {
			ID        string   `json:"id"`
			LearnerID string   `json:"learner_id"`
			Region    string   `json:"region"`
			Age       *float64 `json:"age"`
			BirthYear *int     `json:"birth_year"`
			BirthDate string   `json:"birth_date"`
		}
		if err := json.Unmarshal(line, &p); err != nil {
			return err
		}
		if p.ID == "" {
			p.ID = p.LearnerID
		}
		if p.ID == "" {
			return errors.New("id is missing")
		}
		person := Person{Region: p.Region}
		if p.Age != nil && *p.Age > 0 && *p.Age < 130 {
			person.Age = int(math.Floor(*p.Age))
		}
		if p.BirthYear != nil {
			person.BirthYear = *p.BirthYear
		} else if t, err := time.Parse(time.DateOnly, p.BirthDate); err == nil {
			person.BirthYear = t.Year()
		}
		out[p.ID] = person
		return nil
	})
	if err == nil && len(out) == 0 {
		p := problems.First[0]
		return nil, invalid("no learner can be read, the first on line %d: %s", p.Line, p.Reason)
	}
	return out, err
}

// ageBand returns the band of a person's age in a year; "" when it is unknown.
func (p Person) ageBand(year int) string {
	age := p.Age
	if age == 0 && p.BirthYear > 0 {
		age = year - p.BirthYear
	}
	bands := []struct {
		below int
		name  string
	}{{18, "under 18"}, {25, "18–24"}, {35, "25–34"}, {45, "35–44"}, {55, "45–54"}, {130, "55 and over"}}
	if age <= 0 {
		return ""
	}
	for _, b := range bands {
		if age < b.below {
			return b.name
		}
	}
	return ""
}
