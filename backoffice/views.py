"""Pages of the shell itself: is it alive, is it ready, what did browsers complain of."""

import time

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from backoffice.lib.registry import HealthProbe, health_probes

logger = structlog.get_logger(__name__)

LARGEST_REPORT_BYTES = 16 * 1024


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. It asks nothing of the database, so that a slow one does not get it killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether all that the product needs answers: 200, or 503 with the same body."""
    started = time.perf_counter()
    states = {probe.key: _state(probe) for probe in health_probes}
    overall = "up" if all(state == "up" for state in states.values()) else "down"
    latency = round((time.perf_counter() - started) * 1000, 1)
    body = {**states, "overall": overall, "latency_ms": latency}
    return JsonResponse(body, status=200 if overall == "up" else 503)


def _state(probe: HealthProbe) -> str:
    try:
        probe.check()
    except Exception as error:  # noqa: BLE001 (a probe may fail in any way its library likes)
        logger.warning("probe failed", probe=probe.key, error=str(error))
        return "down"
    return "up"


@csrf_exempt  # Browsers send these reports by themselves, without a token; nothing is changed by them.
@require_POST
def browser_report(request: HttpRequest) -> HttpResponse:
    """Log a CSP violation or a script error that a browser tells of."""
    body = request.read(LARGEST_REPORT_BYTES)
    logger.warning("browser report", path=request.path, report=body.decode("utf-8", "replace"))
    return HttpResponse(status=204)
