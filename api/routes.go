package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/ingest"
)

// access says who may call a route.
type access int

const (
	accessOpen    access = iota // anybody, without a key
	accessAny                   // any key; the handler asks for more where something personal is named
	accessLearner               // server and admin keys, or any key with the token of the learner in the path
	accessServer                // server and admin keys
	accessAdmin                 // admin keys
)

// allows is the whole of what scopes mean. own reports whether the caller holds
// the token of the learner in the path.
func (a access) allows(scope lectern.Scope, own bool) bool {
	switch a {
	case accessOpen, accessAny:
		return true
	case accessLearner:
		return own || scope == lectern.ScopeServer || scope == lectern.ScopeAdmin
	case accessServer:
		return scope == lectern.ScopeServer || scope == lectern.ScopeAdmin
	case accessAdmin:
		return scope == lectern.ScopeAdmin
	}
	return false
}

// bodyKind is what a route reads.
type bodyKind int

const (
	bodyNone  bodyKind = iota
	bodyJSON           // one JSON document
	bodyTask           // one JSON document that asks for long work
	bodyLines          // NDJSON
	bodyFeed           // NDJSON of the whole catalogue
)

// route is one line of the table.
type route struct {
	method string
	path   string // as in the OpenAPI file
	access access
	body   bodyKind
	handle func(*Server, *request) error
}

// routes is every route there is.
func routes() []route {
	const get, put, post, patch, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete
	return []route{
		{get, "/", accessOpen, bodyNone, (*Server).landing},
		{get, "/healthz", accessOpen, bodyNone, (*Server).health},
		{get, "/readyz", accessOpen, bodyNone, (*Server).ready},
		{get, "/metrics", accessOpen, bodyNone, (*Server).exposition},
		{get, "/openapi.yaml", accessOpen, bodyNone, (*Server).description},
		{get, "/admin/goals", accessOpen, bodyNone, (*Server).goalsPage},
		{post, "/admin/goals", accessOpen, bodyNone, (*Server).showGoals}, // reads its form itself
		{get, "/docs", accessOpen, bodyNone, (*Server).docs},
		{get, "/docs/{asset}", accessOpen, bodyNone, (*Server).docs},

		{get, "/v1/recommendations", accessAny, bodyNone, (*Server).recommendAnyone},
		{get, "/v1/learners/{id}/recommendations", accessLearner, bodyNone, (*Server).recommendLearner},
		{get, "/v1/visitors/{id}/recommendations", accessAny, bodyNone, (*Server).recommendVisitor},
		{get, "/v1/home", accessAny, bodyNone, (*Server).homeAnyone},
		{get, "/v1/rows/{row}", accessAny, bodyNone, (*Server).rowAnyone},
		{get, "/v1/learners/{id}/home", accessLearner, bodyNone, (*Server).homeLearner},
		{get, "/v1/learners/{id}/rows/{row}", accessLearner, bodyNone, (*Server).rowLearner},
		{get, "/v1/visitors/{id}/home", accessAny, bodyNone, (*Server).homeVisitor},
		{get, "/v1/visitors/{id}/rows/{row}", accessAny, bodyNone, (*Server).rowVisitor},
		{get, "/v1/search", accessAny, bodyNone, (*Server).search},
		{get, "/v1/autocomplete", accessAny, bodyNone, (*Server).autocomplete},
		{get, "/v1/courses/{id}/similar", accessAny, bodyNone, (*Server).similar},
		{get, "/v1/courses/{id}/next", accessAny, bodyNone, (*Server).next},
		{get, "/v1/catalog/trending", accessAny, bodyNone, (*Server).trending},

		{get, "/v1/courses", accessAny, bodyNone, (*Server).listCourses},
		{get, "/v1/courses/{id}", accessAny, bodyNone, (*Server).getCourse},
		{put, "/v1/courses/{id}", accessServer, bodyJSON, (*Server).putCourse},
		{patch, "/v1/courses/{id}", accessServer, bodyJSON, (*Server).patchCourse},
		{del, "/v1/courses/{id}", accessServer, bodyNone, (*Server).deleteCourse},
		{post, "/v1/courses/batch", accessServer, bodyLines, batch(ingest.Courses)},
		{put, "/v1/catalog/feed", accessServer, bodyFeed, (*Server).feed},

		{get, "/v1/skills", accessAny, bodyNone, (*Server).findSkills},
		{get, "/v1/skills/{id}", accessAny, bodyNone, (*Server).getSkill},
		{get, "/v1/occupations", accessAny, bodyNone, (*Server).findOccupations},
		{get, "/v1/occupations/{id}", accessAny, bodyNone, (*Server).getOccupation},
		{get, "/v1/courses/{id}/skills", accessAny, bodyNone, (*Server).courseSkills},

		{get, "/v1/courses/{id}/reviews", accessAny, bodyNone, (*Server).listReviews},
		{get, "/v1/courses/{id}/reviews/summary", accessAny, bodyNone, (*Server).reviewSummary},
		{put, "/v1/reviews/{id}", accessServer, bodyJSON, (*Server).putReview},
		{del, "/v1/reviews/{id}", accessServer, bodyNone, (*Server).deleteReview},
		{post, "/v1/reviews/batch", accessServer, bodyLines, batch(ingest.Reviews)},
		{post, "/v1/ratings/batch", accessServer, bodyLines, batch(ingest.Ratings)},

		{get, "/v1/learners/{id}", accessServer, bodyNone, (*Server).getLearner},
		{put, "/v1/learners/{id}", accessServer, bodyJSON, (*Server).putLearner},
		{del, "/v1/learners/{id}", accessServer, bodyNone, (*Server).deleteLearner},
		{get, "/v1/learners/{id}/profile", accessLearner, bodyNone, (*Server).learnerProfile},
		{patch, "/v1/learners/{id}/profile", accessLearner, bodyJSON, (*Server).correctLearner},
		{get, "/v1/visitors/{id}/profile", accessAny, bodyNone, (*Server).visitorProfile},
		{patch, "/v1/visitors/{id}/profile", accessAny, bodyJSON, (*Server).correctVisitor},
		{get, "/v1/learners/{id}/feedback", accessLearner, bodyNone, (*Server).learnerSaid},
		{post, "/v1/learners/{id}/feedback", accessLearner, bodyJSON, (*Server).learnerSays},
		{del, "/v1/learners/{id}/feedback/{feedback}", accessLearner, bodyNone, (*Server).learnerTakesBack},
		{get, "/v1/visitors/{id}/feedback", accessAny, bodyNone, (*Server).visitorSaid},
		{post, "/v1/visitors/{id}/feedback", accessAny, bodyJSON, (*Server).visitorSays},
		{del, "/v1/visitors/{id}/feedback/{feedback}", accessAny, bodyNone, (*Server).visitorTakesBack},
		{post, "/v1/learners/{id}/merge", accessServer, bodyJSON, (*Server).mergeVisitor},
		{post, "/v1/learners/{id}/token", accessServer, bodyJSON, (*Server).learnerToken},
		{post, "/v1/learners/batch", accessServer, bodyLines, batch(ingest.Learners)},
		{del, "/v1/visitors/{id}", accessServer, bodyNone, (*Server).deleteVisitor},

		{post, "/v1/events", accessAny, bodyJSON, (*Server).postEvents},
		{post, "/v1/events/batch", accessServer, bodyLines, batch(ingest.Events)},

		{get, "/v1/rankings/{id}", accessServer, bodyNone, (*Server).getRanking},
		{get, "/v1/admin/rankings/{id}/replay", accessAdmin, bodyNone, (*Server).replayRanking},
		{get, "/v1/admin/trace", accessAdmin, bodyNone, (*Server).trace},
		{get, "/v1/admin/search/insights", accessAdmin, bodyNone, (*Server).insights},
		{get, "/v1/admin/stats", accessAdmin, bodyNone, (*Server).stats},
		{get, "/v1/admin/keys", accessAdmin, bodyNone, (*Server).listKeys},
		{post, "/v1/admin/keys", accessAdmin, bodyJSON, (*Server).createKey},
		{del, "/v1/admin/keys/{id}", accessAdmin, bodyNone, (*Server).revokeKey},
		{get, "/v1/admin/synonyms", accessAdmin, bodyNone, (*Server).getSynonyms},
		{put, "/v1/admin/synonyms", accessAdmin, bodyJSON, (*Server).putSynonyms},
		{get, "/v1/admin/config/rerank", accessAdmin, bodyNone, rerankSettings().get},
		{put, "/v1/admin/config/rerank", accessAdmin, bodyJSON, rerankSettings().put},
		{patch, "/v1/admin/config/rerank", accessAdmin, bodyJSON, rerankSettings().patch},
		{get, "/v1/admin/config/rerank/schema", accessAdmin, bodyNone, rerankSettings().describe},
		{get, "/v1/admin/config/rerank/versions", accessAdmin, bodyNone, rerankSettings().versions},
		{get, "/v1/admin/config/rerank/versions/{version}", accessAdmin, bodyNone, rerankSettings().version},
		{post, "/v1/admin/config/rerank/versions/{version}/activate", accessAdmin, bodyJSON, rerankSettings().activate},
		{get, "/v1/admin/config/explore", accessAdmin, bodyNone, exploreSettings().get},
		{put, "/v1/admin/config/explore", accessAdmin, bodyJSON, exploreSettings().put},
		{patch, "/v1/admin/config/explore", accessAdmin, bodyJSON, exploreSettings().patch},
		{get, "/v1/admin/config/explore/schema", accessAdmin, bodyNone, exploreSettings().describe},
		{get, "/v1/admin/config/explore/versions", accessAdmin, bodyNone, exploreSettings().versions},
		{get, "/v1/admin/config/explore/versions/{version}", accessAdmin, bodyNone, exploreSettings().version},
		{post, "/v1/admin/config/explore/versions/{version}/activate", accessAdmin, bodyJSON, exploreSettings().activate},
		{post, "/v1/admin/config/rerank/preview", accessAdmin, bodyTask, (*Server).previewRerank},
		{post, "/v1/admin/config/rerank/tune", accessAdmin, bodyTask, (*Server).tuneRerank},
		{post, "/v1/admin/config/rerank/estimate", accessAdmin, bodyTask, (*Server).estimateRerank},
		{get, "/v1/admin/explore/status", accessAdmin, bodyNone, (*Server).exploreStatus},
		{post, "/v1/admin/explore/rebuild", accessAdmin, bodyNone, (*Server).rebuildExploration},
		{get, "/v1/admin/reports", accessAdmin, bodyNone, (*Server).listReports},
		{patch, "/v1/admin/reports/{course}", accessAdmin, bodyJSON, (*Server).settleReports},
		{post, "/v1/admin/reports/{course}/rule", accessAdmin, bodyJSON, (*Server).ruleOfReports},
		{get, "/v1/admin/reviews/held", accessAdmin, bodyNone, (*Server).listHeld},
		{post, "/v1/admin/reviews/{id}/hold", accessAdmin, bodyJSON, (*Server).decideHeld},
		{get, "/v1/admin/models", accessAdmin, bodyNone, (*Server).listModels},
		{post, "/v1/admin/models/{version}/activate", accessAdmin, bodyNone, (*Server).activateModel},
		{get, "/v1/admin/experiments", accessAdmin, bodyNone, (*Server).listExperiments},
		{post, "/v1/admin/experiments", accessAdmin, bodyJSON, (*Server).createExperiment},
		{get, "/v1/admin/experiments/metrics", accessAdmin, bodyNone, (*Server).listUnitMetrics},
		{get, "/v1/admin/experiments/holdout", accessAdmin, bodyNone, (*Server).holdout},
		{get, "/v1/admin/experiments/assignments", accessAdmin, bodyNone, (*Server).assignments},
		{get, "/v1/admin/experiments/{id}", accessAdmin, bodyNone, (*Server).getExperiment},
		{patch, "/v1/admin/experiments/{id}", accessAdmin, bodyJSON, (*Server).patchExperiment},
		{del, "/v1/admin/experiments/{id}", accessAdmin, bodyNone, (*Server).deleteExperiment},
		{post, "/v1/admin/experiments/{id}/start", accessAdmin, bodyJSON, (*Server).startExperiment},
		{post, "/v1/admin/experiments/{id}/stop", accessAdmin, bodyJSON, (*Server).stopExperiment},
		{get, "/v1/admin/experiments/{id}/results", accessAdmin, bodyNone, (*Server).experimentResults},
		{get, "/v1/admin/metrics", accessAdmin, bodyNone, (*Server).platformMetrics},
		{get, "/v1/admin/metrics/goals", accessAdmin, bodyNone, (*Server).getGoals},
		{put, "/v1/admin/metrics/goals", accessAdmin, bodyJSON, (*Server).putGoals},
		{get, "/v1/admin/reindex", accessAdmin, bodyNone, (*Server).reindexStatus},
		{post, "/v1/admin/reindex", accessAdmin, bodyJSON, (*Server).reindex},
		{get, "/v1/admin/generations", accessAdmin, bodyNone, (*Server).generations},
	}
}

// echoPath writes an OpenAPI path template as echo's.
func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// specPath is the reverse of echoPath.
func specPath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// maxBody is how many bytes a route reads.
func (s *Server) maxBody(k bodyKind) int64 {
	switch k {
	case bodyLines:
		return s.cfg.MaxBatchBytes
	case bodyFeed:
		return s.cfg.MaxFeedBytes
	}
	return s.cfg.MaxBodyBytes
}

func (s *Server) timeout(k bodyKind) time.Duration {
	if k == bodyLines || k == bodyFeed || k == bodyTask {
		return s.cfg.BatchTimeout
	}
	return s.cfg.RequestTimeout
}
