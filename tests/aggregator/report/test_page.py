"""The page in a real browser: quiet, self-contained, readable."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

PHONE = 390


PROBE = """<script>
addEventListener("load", () => {
  const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll") && e.getBoundingClientRect().right > innerWidth + 1);
  const images = [...document.querySelectorAll("figure image, figure img")];
  document.querySelectorAll("details").forEach(d => { d.open = true; });
  const blank = [...document.querySelectorAll("figure svg")].filter(s => s.getBoundingClientRect().height < 20);
  const loads = images.map(i => new Promise(done => { const p = new Image(); p.onload = () => done(true); p.onerror = () => done(false); p.src = i.href ? i.href.baseVal : i.src; }));
  Promise.all(loads).then(ok => {
    document.querySelector("table.sortable th:nth-child(2) button").click();
    const column = [...document.querySelector("table.sortable").tBodies[0].rows].map(r => parseFloat(r.cells[1].dataset.value));
    const out = document.createElement("pre");
    out.id = "probe";
    out.textContent = JSON.stringify({ wide: wide.map(e => e.tagName + "." + e.className), pictures: document.querySelectorAll("figure svg").length,
      images: images.length, failed: ok.filter(o => !o).length, blank: blank.length, requests: performance.getEntriesByType("resource").filter(r => !r.name.startsWith("data:")).map(r => r.name),
      sorted: column.every((v, i) => i === 0 || column[i - 1] <= v), width: innerWidth, font: getComputedStyle(document.body).fontSize });
    document.body.append(out);
  });
});
</script>"""


@pytest.fixture(scope="module")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("LOUD: no chromium here: the page is not tested in a browser (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="module")
def page(made_report):
    return made_report[1]["index.html"].decode()


def browse(chromium, tmp_path, text, *options):
    """(DOM, everything that the browser's console and network said) of a page after its scripts."""
    place = tmp_path / "page.html"
    place.write_text(text)
    quiet = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    told = ["--enable-logging=stderr", "--v=0", "--virtual-time-budget=8000", "--dump-dom", *options, place.as_uri()]
    command = [chromium, *quiet, *told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def probed(text):
    """The page with a probe in it, which its own policy would not let run: the policy is tested apart."""
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</body>", PROBE + "</body>")


def test_the_browser_has_nothing_to_complain_about_under_the_pages_own_policy(chromium, tmp_path, page):
    dom, console = browse(chromium, tmp_path, page)

    assert console == []
    assert "<button" in dom, "the sorting script ran: its hash is in the policy"


def test_a_script_that_is_not_the_pages_own_does_not_run(chromium, tmp_path, page):
    dom, console = browse(
        chromium, tmp_path, page.replace("</body>", "<script>document.title = 'taken'</script></body>")
    )

    assert "<title>taken" not in dom
    assert any("Content Security Policy" in line for line in console)


@pytest.mark.parametrize("width", [PHONE, 1280])
def test_pictures_load_nothing_is_requested_and_the_page_fits(chromium, tmp_path, page, width):

    # Headless windows have a least width: a frame of the wanted width stands in for the phone.
    dom, _ = browse(chromium, tmp_path, probed(page), f"--window-size={max(width, 500)},900")
    seen = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dom, re.DOTALL)[1]))

    assert seen["requests"] == []
    assert seen["pictures"] >= 3 * page.count("<figure>") >= 27, "panels are pictures of their own"
    assert seen["images"] >= 10, "sample images and the components' treatments"
    assert seen["failed"] == seen["blank"] == 0
    assert seen["wide"] == []
    assert seen["sorted"]


def test_the_page_names_nothing_but_itself_and_its_files(page, made_report):
    links = set(re.findall(r'(?:href|src)="([^"]*)"', page))
    files = {link for link in links if not link.startswith(("#", "data:"))}

    assert files <= set(made_report[1])
    assert {"results.parquet", "next.toml", "tables/claims.csv", "figures/agreement.png"} <= files
    assert not re.findall(r"url\((?!#)", page)
    assert "@import" not in page


def test_ids_are_unique(page):
    ids = re.findall(r'\sid="([^"]+)"', page)
    pictures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)

    assert len(pictures) >= 9
    for one in pictures:
        own = set(re.findall(r'\sid="([^"]+)"', one))
        assert {r for r in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', one) for r in r if r} <= own
    assert len(set(ids)) >= 0.98 * len(ids)


def test_every_anchor_leads_somewhere(page):
    ids = set(re.findall(r'\sid="([^"]+)"', page))

    assert {a for a in re.findall(r'href="#([^"]+)"', page) if not a.startswith("digits-")} <= ids
    assert {"claim-1", "figure-digits-differences", "table-largest-differences", "trained"} <= ids


def test_for_print_all_that_is_folded_opens_and_closes_again(chromium, tmp_path, page):
    probe = """<script>addEventListener("load", () => {
      const open = () => [...document.querySelectorAll("details")].filter(d => d.open).length;
      const seen = [open()];
      for (const name of ["beforeprint", "afterprint"]) { dispatchEvent(new Event(name)); seen.push(open()); }
      document.title = "open " + seen.join(" ");
    });</script></body>"""
    policy = r'<meta http-equiv="Content-Security-Policy"[^>]*>'
    dom, _ = browse(chromium, tmp_path, re.sub(policy, "", page).replace("</body>", probe))

    assert f"<title>open 0 {page.count('<details')} 0</title>" in dom


def test_a_true_phone_shows_the_page_without_sideways_scrolling(chromium, tmp_path, page):
    """A headless window is at least 500 px wide: a frame of 390 px is the phone."""
    (tmp_path / "framed.html").write_text(page)
    outer = f"""<iframe src="framed.html" style="width: {PHONE}px; height: 800px; border: 0"></iframe><script>
      addEventListener("load", () => {{ const d = document.querySelector("iframe").contentDocument.documentElement;
        document.title = `wide ${{d.scrollWidth}}`; }});</script>"""
    dom, _ = browse(chromium, tmp_path, outer, "--allow-file-access-from-files")

    assert f"<title>wide {PHONE}</title>" in dom or re.search(r"<title>wide 3[67]\d</title>", dom)
