package retrieve

import (
	"slices"
	"strings"

	"github.com/lectern-dev/lectern"
)

// checkRequest reports every part of a request that no list can be made of.
func checkRequest(req lectern.ListRequest) error {
	var bad []lectern.FieldError
	if !slices.Contains(listed(), req.Surface) {
		bad = append(bad, lectern.NewFieldError("surface", req.Surface, "is not a surface", "home, search, similar, next, trending"))
	}
	if req.Limit < 1 {
		bad = append(bad, lectern.NewFieldError("limit", req.Limit, "is too small", "at least 1"))
	}
	if req.Surface == lectern.SurfaceSearch && strings.TrimSpace(req.Query) == "" {
		bad = append(bad, lectern.NewFieldError("query", req.Query, "is empty", "at least one word"))
	}
	if (req.Surface == lectern.SurfaceSimilar || req.Surface == lectern.SurfaceNext) && req.CourseID == "" {
		bad = append(bad, lectern.NewFieldError("course_id", "", "is empty", "the id of a course"))
	}
	bad = append(bad, checkHome(req)...)
	bad = append(bad, checkSearch(req)...)
	if len(bad) > 0 {
		return lectern.Invalid("no list can be made of this request", bad...)
	}
	return nil
}

// listed are the surfaces that lists are made for.
func listed() []lectern.Surface {
	return []lectern.Surface{
		lectern.SurfaceHome, lectern.SurfaceSearch, lectern.SurfaceSimilar, lectern.SurfaceNext, lectern.SurfaceTrending,
	}
}

// checkHome reports what only home lists take, and what they do not know.
func checkHome(req lectern.ListRequest) (bad []lectern.FieldError) {
	home := req.Surface == lectern.SurfaceHome
	switch {
	case req.Row == "":
	case !slices.Contains(lectern.Rows(), req.Row):
		bad = append(bad, lectern.NewFieldError("row", req.Row, "is not a row", rowNames()))
	case !home:
		bad = append(bad, lectern.NewFieldError("row", req.Row, "is not for this surface", "on home only"))
	}
	if req.FitTime && !home {
		bad = append(bad, lectern.NewFieldError("fit_time", req.FitTime, "is not for this surface", "on home only"))
	}
	if home && req.CourseID != "" && req.Row != lectern.RowBecause && req.Row != lectern.RowNext {
		bad = append(bad, lectern.NewFieldError("course_id", req.CourseID, "is not for this list", "with the rows because and next only"))
	}
	return bad
}

// rowNames lists the rows for a message.
func rowNames() string {
	names := make([]string, 0, 8)
	for _, r := range lectern.Rows() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// checkSearch reports what only searches take, and what they do not know.
func checkSearch(req lectern.ListRequest) (bad []lectern.FieldError) {
	search := req.Surface == lectern.SurfaceSearch
	switch {
	case req.Sort == "":
	case !slices.Contains(lectern.Sorts(), req.Sort):
		bad = append(bad, lectern.NewFieldError("sort", req.Sort, "is not an order", "relevance, rating, newest, popular"))
	case !search:
		bad = append(bad, lectern.NewFieldError("sort", req.Sort, "is not for this surface", "on search only"))
	}
	for _, f := range req.Facets {
		if !slices.Contains(lectern.Facets(), f) {
			bad = append(bad, lectern.NewFieldError("facets", f, "is not a facet", "level, language, category, provider, hours, rating"))
		}
	}
	if len(req.Facets) > 0 && !search {
		bad = append(bad, lectern.NewFieldError("facets", req.Facets[0], "is not for this surface", "on search only"))
	}
	return bad
}
