package rerank

import (
	"math"
	"strconv"
	"sync/atomic"

	"github.com/lectern-dev/lectern"
)

// sharedParams are the parameters of a list's reasons by code and value: many of its
// items carry the same.
type sharedParams map[[2]string]map[string]string

// oneParam makes a reason whose parameters are shared within a list.
func oneParam(shared sharedParams, code, key, value string) lectern.Reason {
	k := [2]string{code, value}
	params, ok := shared[k]
	if !ok {
		params = map[string]string{key: value}
		shared[k] = params
	}
	return lectern.Reason{Code: code, Params: params}
}

// aboutCourse makes a reason that names a course.
func aboutCourse(shared sharedParams, code, id, title string) lectern.Reason {
	k := [2]string{code, id}
	params, ok := shared[k]
	if !ok {
		params = map[string]string{"course_id": id, "title": title}
		shared[k] = params
	}
	return lectern.Reason{Code: code, Params: params}
}

// ratingSlots bounds what is remembered of ratings in words.
const ratingSlots = 4096

// ratingWords remembers ratings as parameters of a reason, which every list says anew of
// the same courses. It is safe for concurrent use.
type ratingWords [ratingSlots]atomic.Pointer[ratingWord]

type ratingWord struct {
	mean   float64
	count  int
	params map[string]string // read only
}

// of returns the parameters for a mean and a count.
func (w *ratingWords) of(mean float64, count int) map[string]string {
	h := (math.Float64bits(mean) ^ uint64(count)*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	slot := &w[h>>52] // the highest bits: 4096
	if have := slot.Load(); have != nil && have.mean == mean && have.count == count {
		return have.params
	}
	made := &ratingWord{mean, count, map[string]string{
		"rating": strconv.FormatFloat(mean, 'f', 1, 64),
		"count":  strconv.Itoa(count),
	}}
	slot.Store(made)
	return made.params
}
