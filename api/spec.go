package api

import (
	_ "embed" // the OpenAPI file
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/cache"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi/datamodel/high/base"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"github.com/lectern-dev/lectern"
)

//go:embed openapi.yaml
var openapiYAML []byte

// OpenAPI returns the OpenAPI 3.1 file that describes the interface.
func OpenAPI() []byte { return slices.Clone(openapiYAML) }

// spec is the OpenAPI file, ready to check requests with.
type spec struct {
	model     *v3.Document
	validator validator.Validator
	paths     map[string]bool // templates
}

// operation is one method of one path.
type operation struct {
	path         string
	item         *v3.PathItem
	query        map[string]bool   // parameter name → takes several values
	allowed      map[string]string // parameter name → what it may be, in words
	numbers      []string          // of query
	names        []string          // of query, sorted
	pathParams   []string
	mediaTypes   []string // that the body may have; none: no body
	bodyRequired bool
	body         *base.Schema // of JSON; nil is none
}

func loadSpec() (*spec, error) {
	doc, err := libopenapi.NewDocument(openapiYAML)
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		return nil, fmt.Errorf("build openapi.yaml: %w", err)
	}
	// Who may call is decided by authorise, before this.
	schemas := cache.NewDefaultCache()
	v, errs := validator.NewValidator(doc, config.WithoutSecurityValidation(), config.WithSchemaCache(schemas))
	if len(errs) > 0 {
		return nil, fmt.Errorf("build the request validator: %w", errors.Join(errs...))
	}
	s := &spec{model: &model.Model, validator: v, paths: make(map[string]bool)}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		s.paths[path] = true
		for op := range item.GetOperations().ValuesFromOldest() {
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if err := rememberText(schemas, p.Schema.Schema()); err != nil {
					return nil, err
				}
			}
		}
	}
	return s, nil
}

// rememberText renders a parameter's schema once. The validator quotes it in
// every finding, and would otherwise render it anew for each value it checks,
// which costs more than all the checking.
func rememberText(schemas cache.SchemaCache, sc *base.Schema) error {
	text, err := sc.RenderInlineWithContext(base.NewInlineRenderContextForValidation())
	if err != nil {
		return fmt.Errorf("render a parameter's schema: %w", err)
	}
	schemas.Store(sc.GoLow().Hash(), &cache.SchemaCacheEntry{Schema: sc, RenderedInline: text})
	if sc.Items != nil && sc.Items.IsA() {
		return rememberText(schemas, sc.Items.A.Schema())
	}
	return nil
}

// operation looks one up; that it is missing is a mistake of ours.
func (s *spec) operation(method, path string) (*operation, error) {
	item, ok := s.model.Paths.PathItems.Get(path)
	if !ok {
		return nil, fmt.Errorf("api: %s is not in openapi.yaml", path)
	}
	op, ok := item.GetOperations().Get(strings.ToLower(method))
	if !ok {
		return nil, fmt.Errorf("api: %s %s is not in openapi.yaml", method, path)
	}
	out := &operation{path: path, item: item, query: make(map[string]bool), allowed: make(map[string]string)}
	for _, p := range slices.Concat(item.Parameters, op.Parameters) {
		out.allowed[p.Name] = allowedWords(p.Schema.Schema())
		switch p.In {
		case "query":
			out.query[p.Name] = slices.Contains(p.Schema.Schema().Type, "array")
			out.names = append(out.names, p.Name)
			if slices.Contains(p.Schema.Schema().Type, "number") {
				out.numbers = append(out.numbers, p.Name)
			}
		case "path":
			out.pathParams = append(out.pathParams, p.Name)
		}
	}
	slices.Sort(out.names)
	if op.RequestBody != nil {
		out.bodyRequired = op.RequestBody.Required != nil && *op.RequestBody.Required
		for mt, content := range op.RequestBody.Content.FromOldest() {
			out.mediaTypes = append(out.mediaTypes, mt)
			if mt == "application/json" && content.Schema != nil {
				out.body = content.Schema.Schema()
			}
		}
	}
	return out, nil
}

// checkParams holds query and headers against the description.
func (s *spec) checkParams(r *http.Request, op *operation) error {
	p := s.validator.GetParameterValidator()
	_, problems := p.ValidateQueryParamsWithPathItem(r, op.item, op.path)
	_, more := p.ValidateHeaderParamsWithPathItem(r, op.item, op.path)
	if problems = append(problems, more...); len(problems) == 0 {
		return nil
	}
	return paramError(problems, r, op)
}

// checkBody holds a JSON body against the description. r.Body can be read again
// afterwards.
func (s *spec) checkBody(r *http.Request, op *operation) error {
	ok, problems := s.validator.GetRequestBodyValidator().ValidateRequestBodyWithPathItem(r, op.item, op.path)
	if ok {
		return nil
	}
	return bodyError(problems, op.body)
}

// unknownField makes the error for names that the description does not know.
func unknownField(message string, fields []lectern.FieldError) error {
	return &lectern.Error{Code: lectern.CodeUnknownField, Message: message, Fields: fields}
}
