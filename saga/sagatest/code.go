package sagatest

import (
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Caller is where a model is checked, as far as the printed test needs to know.
type Caller struct {
	// Package is its name, such as "order_test".
	Package string
	// Model is the Go expression of the model.
	Model string
	// Imports that Model needs, as they stand in a file: `"path"` or `name "path"`.
	Imports []string
}

const (
	thisPackage = "github.com/pabal-dev/pabal/saga/sagatest"
	// unknownModel stands where the expression cannot be read from the source.
	unknownModel = "model()"
)

// Test is a Go file with a test that repeats the failure. name is that of the test
// that found it.
func (f *Failure) Test(name string, c Caller) string {
	var b strings.Builder
	if f.source != "" {
		c.Model = f.source
	}
	fmt.Fprintf(&b, "package %s\n\nimport (\n\"testing\"\n\n", c.Package)
	imports := append([]string{strconv.Quote(thisPackage)}, c.Imports...)
	slices.Sort(imports)
	for _, line := range slices.Compact(imports) {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintf(&b, ")\n\n// %s: %s.\nfunc %s(t *testing.T) {\n", testName(name), firstLine(f.Err), testName(name))
	if c.Model == "" {
		c.Model = unknownModel
		fmt.Fprintf(&b, "// %s must return the model that was checked; set Model.Source to have it named here.\n", unknownModel)
	}
	fmt.Fprintf(&b, "sagatest.Replay(t, %s, sagatest.Schedule{\n", c.Model)
	for _, step := range f.Schedule {
		fmt.Fprintf(&b, "{%s},\n", step.code())
	}
	b.WriteString("})\n}\n")
	source, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String() // the expression given as Source is none; better shown than hidden
	}
	return string(source)
}

// code is the step as fields of a composite literal.
func (s Step) code() string {
	fields := []string{"Do: sagatest." + strings.ToUpper(string(s.Do[:1])) + string(s.Do[1:])}
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, name+": "+strconv.Quote(value))
		}
	}
	add("Message", s.Message)
	add("To", s.To)
	add("Timer", string(s.Timer))
	add("Act", string(s.Act))
	add("Step", s.Step)
	if s.Attempt != 0 {
		fields = append(fields, "Attempt: "+strconv.Itoa(s.Attempt))
	}
	add("Request", s.Request)
	if len(s.Choices) > 0 {
		quoted := make([]string, len(s.Choices))
		for i, choice := range s.Choices {
			quoted[i] = strconv.Quote(choice)
		}
		fields = append(fields, "Choices: []string{"+strings.Join(quoted, ", ")+"}")
	}
	return strings.Join(fields, ", ")
}

// testName is a name for the printed test, after that of the one that found it.
func testName(found string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' {
			return r
		}
		return '_'
	}, found)
	if !strings.HasPrefix(name, "Test") {
		name = "Test" + name
	}
	return name + "_Schedule"
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(line, ".")
}
