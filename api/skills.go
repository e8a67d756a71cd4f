package api

import (
	"net/http"
	"strconv"

	"github.com/lectern-dev/lectern"
)

// Skills is the skill graph, with what the catalogue teaches of it.
type Skills interface {
	// FindSkills returns the skills that go by a name like query, best first; for ""
	// those with most courses.
	FindSkills(query string, limit int) []SkillEntry
	// Skill returns one with all that the graph says of it.
	Skill(id string) (SkillDetail, bool)
	// FindOccupations does for occupations what FindSkills does for skills; for ""
	// it returns them by name.
	FindOccupations(query string, limit int) []OccupationEntry
	// Occupation returns one with its skills.
	Occupation(id string) (OccupationDetail, bool)
	// CourseSkills returns what a course's text speaks of, surest first.
	CourseSkills(c lectern.Course) []CourseSkill
}

// SkillEntry is a skill in a list.
type SkillEntry struct {
	ID, Name string
	Aliases  []string
	Courses  int // open ones
}

// SkillDetail is a skill with its place in the graph.
type SkillDetail struct {
	SkillEntry
	Phrases       []string
	Broader       []SkillEntry
	Narrower      []SkillEntry
	Related       []SkillEntry
	Prerequisites []SkillEntry
	Occupations   []SkillNeed
	Best          []SkillCourse // the best open courses, which not everybody may see
}

// SkillNeed is an occupation that takes a skill.
type SkillNeed struct {
	ID, Name   string
	Importance float64 // in (0, 1]
}

// SkillCourse is a course on a skill.
type SkillCourse struct {
	ID         string
	Confidence float64 // in (0, 1]
}

// OccupationEntry is an occupation in a list.
type OccupationEntry struct {
	ID, Name string
	Aliases  []string
}

// OccupationDetail is an occupation with its skills, most important first.
type OccupationDetail struct {
	OccupationEntry
	Phrases []string
	Skills  []OccupationSkill
}

// OccupationSkill is a skill that an occupation takes.
type OccupationSkill struct {
	SkillEntry
	Importance float64 // in (0, 1]
}

// CourseSkill is a skill that a course's text speaks of.
type CourseSkill struct {
	ID, Name   string
	Confidence float64 // in (0, 1]
	Evidence   []SkillEvidence
}

// SkillEvidence is a name of a skill that stands in a field of a course.
type SkillEvidence struct {
	Field lectern.CourseField
	Name  string
	Count int
}

// topCourses is how many courses a skill is shown with.
const topCourses = 10

// defaultEntries is how many skills or occupations are found when no limit is
// given.
const defaultEntries = 20

func (s *Server) skillGraph() (Skills, error) {
	if s.deps.Skills == nil {
		return nil, lectern.Errorf(lectern.CodeUnavailable, "this server recognises no skills (skills.enabled is false)")
	}
	return s.deps.Skills, nil
}

// entriesAsked reads what list of entries a request asks for.
func entriesAsked(in *request) (query string, limit int) {
	limit, err := strconv.Atoi(in.QueryParam("limit"))
	if err != nil { // not given; the description refuses the rest
		limit = defaultEntries
	}
	return in.QueryParam("q"), limit
}

func (s *Server) findSkills(in *request) error {
	graph, err := s.skillGraph()
	if err != nil {
		return err
	}
	found := graph.FindSkills(entriesAsked(in))
	out := skillListDTO{Skills: make([]foundSkillDTO, len(found))}
	for i, f := range found {
		out.Skills[i] = foundSkillDTO{skillRefOf(f), neverNull(f.Aliases)}
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) getSkill(in *request) error {
	graph, err := s.skillGraph()
	if err != nil {
		return err
	}
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	d, ok := graph.Skill(id)
	if !ok {
		return notFound("skill", id)
	}
	out := skillDTO{
		foundSkillDTO: foundSkillDTO{skillRefOf(d.SkillEntry), neverNull(d.Aliases)}, Phrases: neverNull(d.Phrases),
		Broader: skillRefs(d.Broader), Narrower: skillRefs(d.Narrower), Related: skillRefs(d.Related), Prerequisites: skillRefs(d.Prerequisites),
		Occupations: make([]needDTO, len(d.Occupations)),
	}
	for i, o := range d.Occupations {
		out.Occupations[i] = needDTO(o)
	}
	if out.TopCourses, err = s.topCourses(in, d.Best); err != nil {
		return err
	}
	return respond(in, http.StatusOK, out)
}

// topCourses reads the best courses that the caller may see.
func (s *Server) topCourses(in *request, best []SkillCourse) ([]skillCourseDTO, error) {
	ids := make([]string, len(best))
	for i, b := range best {
		ids[i] = b.ID
	}
	out := make([]skillCourseDTO, 0, topCourses)
	if len(ids) == 0 {
		return out, nil
	}
	found, err := s.deps.Courses.Courses(in.ctx(), ids)
	if err != nil {
		return nil, err
	}
	titles := make(map[string]string, len(found))
	for _, c := range found {
		if s.onOffer(c) || in.caller.trusted() {
			titles[c.ID] = c.Title
		}
	}
	for _, b := range best {
		if title, ok := titles[b.ID]; ok && len(out) < topCourses {
			out = append(out, skillCourseDTO{b.ID, title, shownScore(b.Confidence)})
		}
	}
	return out, nil
}

func (s *Server) findOccupations(in *request) error {
	graph, err := s.skillGraph()
	if err != nil {
		return err
	}
	found := graph.FindOccupations(entriesAsked(in))
	out := occupationListDTO{Occupations: make([]foundOccupationDTO, len(found))}
	for i, f := range found {
		out.Occupations[i] = foundOccupationDTO{f.ID, f.Name, neverNull(f.Aliases)}
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) getOccupation(in *request) error {
	graph, err := s.skillGraph()
	if err != nil {
		return err
	}
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	d, ok := graph.Occupation(id)
	if !ok {
		return notFound("occupation", id)
	}
	out := occupationDTO{
		foundOccupationDTO: foundOccupationDTO{d.ID, d.Name, neverNull(d.Aliases)}, Phrases: neverNull(d.Phrases),
		Skills: make([]occupationSkillDTO, len(d.Skills)),
	}
	for i, o := range d.Skills {
		out.Skills[i] = occupationSkillDTO{skillRefOf(o.SkillEntry), o.Importance}
	}
	return respond(in, http.StatusOK, out)
}

func (s *Server) courseSkills(in *request) error {
	graph, err := s.skillGraph()
	if err != nil {
		return err
	}
	id, err := pathParam(in, "id")
	if err != nil {
		return err
	}
	c, err := s.courseFor(in, id)
	if err != nil {
		return err
	}
	tags := graph.CourseSkills(c)
	out := courseSkillsDTO{CourseID: id, Skills: make([]courseSkillDTO, len(tags))}
	for i, t := range tags {
		evidence := make([]evidenceDTO, len(t.Evidence))
		for j, e := range t.Evidence {
			evidence[j] = evidenceDTO(e)
		}
		out.Skills[i] = courseSkillDTO{t.ID, t.Name, shownScore(t.Confidence), evidence}
	}
	return respond(in, http.StatusOK, out)
}
