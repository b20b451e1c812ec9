"""Search without a network: from file://, and from a plain file server."""


def test_search_finds_a_page(open_page, origin):
    page, seen = open_page(origin, "search.html?q=notation")
    page.wait_for_selector("#search-results ul.search li a", timeout=20_000)
    assert any("Notation" in hit for hit in page.locator("#search-results ul.search li a").all_inner_texts())
    assert not seen.errors
    page.close()


def test_search_says_when_there_is_nothing(open_page):
    page, _ = open_page("file", "search.html?q=zyxwvutsrq")
    page.wait_for_selector("#search-results .search-summary:not(:empty)", timeout=20_000)
    assert page.locator("#search-results ul.search li").count() == 0
    page.close()
