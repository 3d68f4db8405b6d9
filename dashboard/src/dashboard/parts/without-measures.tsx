// What stands in the place of a page that needs the catalogue of measures, until that is there.
import { catalogueFault } from "../api/catalogue";
import { useStore } from "../api/store";
import { Loading } from "../panels/panel";

export function WithoutMeasures() {
  const fault = useStore(catalogueFault);
  return (
    <>
      {fault !== null && (
        <p className="banner" role="alert" data-testid="unreachable">
          {fault} Trying again …
        </p>
      )}
      <Loading />
    </>
  );
}
