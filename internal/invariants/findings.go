package invariants

import "fmt"

// Result is one invariant.
type Result struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Detail is what was counted, or the first violations.
	Detail string `json:"detail"`
}

// findings collects what there is to say of invariants.
type findings struct {
	names []string
	found map[string]*finding
}

// finding is what there is to say of one invariant.
type finding struct {
	summary    string
	violations int64
	examples   string
}

func newFindings(names ...string) findings {
	f := findings{names, map[string]*finding{}}
	for _, name := range names {
		f.found[name] = &finding{}
	}
	return f
}

// mostExamples are shown of each invariant.
const mostExamples = 3

func (f findings) violated(name, format string, args ...any) {
	one := f.found[name]
	one.violations++
	if one.violations <= mostExamples {
		one.examples += "; " + fmt.Sprintf(format, args...)
	}
}

func (f findings) summary(name, format string, args ...any) {
	f.found[name].summary = fmt.Sprintf(format, args...)
}

func (f findings) results() []Result {
	var all []Result
	for _, name := range f.names {
		one := f.found[name]
		r := Result{Name: name, OK: one.violations == 0, Detail: one.summary}
		if !r.OK {
			r.Detail = fmt.Sprintf("%s; violated %d times%s", one.summary, one.violations, one.examples)
		}
		all = append(all, r)
	}
	return all
}
