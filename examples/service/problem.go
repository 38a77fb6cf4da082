package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Problem is an RFC 9457 problem, and the error an endpoint returns for it.
type Problem struct {
	Type   string       `json:"type"`
	Title  string       `json:"title"`
	Status int          `json:"status"`
	Detail string       `json:"detail,omitempty"`
	Errors []FieldError `json:"errors,omitempty"`
}

// FieldError names a field at fault, such as "items[0].quantity".
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// Refuse is a problem with that HTTP status.
func Refuse(status int, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// BadField is a problem with one field.
func BadField(field, format string, args ...any) *Problem {
	return badFields([]FieldError{{field, fmt.Sprintf(format, args...)}})
}

func badFields(fields []FieldError) *Problem {
	details := make([]string, len(fields))
	for i, f := range fields {
		details[i] = f.Field + ": " + f.Detail
	}
	p := Refuse(http.StatusBadRequest, "%s", strings.Join(details, "; "))
	p.Errors = fields
	return p
}

// Validation collects fields at fault.
type Validation struct{ fields []FieldError }

// maxFieldErrors keeps a hostile request from getting a long answer.
const maxFieldErrors = 20

// Check notes a field where ok is false.
func (v *Validation) Check(ok bool, field, format string, args ...any) {
	if !ok && len(v.fields) < maxFieldErrors {
		v.fields = append(v.fields, FieldError{field, fmt.Sprintf(format, args...)})
	}
}

// Text checks that a field has 1 to most characters, none of them a control
// character.
func (v *Validation) Text(field, value string, most int) {
	v.Check(value != "", field, "is required")
	v.Check(len([]rune(value)) <= most, field, "has more than %d characters", most)
	v.Check(!strings.ContainsFunc(value, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\uFFFD' }), field, "has characters that are not text")
}

// Err is a problem that names all fields noted, or nil.
func (v *Validation) Err() error {
	if len(v.fields) == 0 {
		return nil
	}
	return badFields(v.fields)
}

func (p *Problem) write(w http.ResponseWriter) {
	writeJSON(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	var data bytes.Buffer
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false) // it is not HTML, and says so
	if err := e.Encode(body); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(data.Bytes()) // the client is gone: nobody to tell
}
