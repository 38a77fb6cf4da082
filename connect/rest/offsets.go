package rest

import (
	"net/http"

	"github.com/pabal-dev/pabal/connect"
)

type offsetsBody struct {
	Offsets []connect.SourceOffset `json:"offsets"`
}

type messageBody struct {
	Message string `json:"message"`
}

func (a *api) offsets(r *http.Request) (int, any, error) {
	all, err := a.Worker.Offsets(r.Context(), r.PathValue("name"))
	return http.StatusOK, offsetsBody{all}, err
}

func (a *api) alterOffsets(r *http.Request) (int, any, error) {
	var body offsetsBody
	if err := read(r, &body); err != nil {
		return 0, nil, err
	}
	text, err := a.Worker.AlterOffsets(r.Context(), r.PathValue("name"), body.Offsets)
	return http.StatusOK, messageBody{text}, err
}

func (a *api) resetOffsets(r *http.Request) (int, any, error) {
	text, err := a.Worker.ResetOffsets(r.Context(), r.PathValue("name"))
	return http.StatusOK, messageBody{text}, err
}
